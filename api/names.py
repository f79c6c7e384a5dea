"""What names, labels and keys may look like, in sentences; and how names are made up.

Each check returns the sentences that say what is wrong, none if the value is fine. The texts are the API's own.
"""

from __future__ import annotations

import re
import secrets

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Characters of generated names: no vowels, so that no word comes out, and no 0, 1 and 3, which are easily misread."""

_GENERATED_LENGTH = 5
_NAME_LIMIT = 63

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_LABEL_RE = re.compile(rf"{_LABEL}\Z")
_SUBDOMAIN_RE = re.compile(rf"{_SUBDOMAIN}\Z")
_WILDCARD_RE = re.compile(rf"{_WILDCARD}\Z")
_LABEL_1035_RE = re.compile(rf"{_LABEL_1035}\Z")
_QUALIFIED_RE = re.compile(rf"{_QUALIFIED}\Z")
_LABEL_VALUE_RE = re.compile(rf"{_LABEL_VALUE}\Z")
_CONFIG_KEY_RE = re.compile(rf"{_CONFIG_KEY}\Z")
_PORT_NAME_RE = re.compile(r"[-a-z0-9]+\Z")
_ENV_VAR_RE = re.compile(r"[ -<>-~]+\Z")


def max_length(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def regex_message(message: str, pattern: str, *examples: str) -> str:
    """`message`, then the examples and the pattern, punctuated as the API does (with its two spaces before `or`)."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


def _too_long(value: str, limit: int) -> bool:
    return len(value) > limit or (not value.isascii() and len(value.encode()) > limit)


def dns1123_label(value: str) -> list[str]:
    """A namespace's or container's name."""
    errors = [max_length(63)] if _too_long(value, 63) else []
    if not _LABEL_RE.match(value):
        if _SUBDOMAIN_RE.match(value):
            errors.append("must not contain dots")
        else:
            text = (
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                "and must start and end with an alphanumeric character"
            )
            errors.append(regex_message(text, _LABEL, "my-name", "123-abc"))
    return errors


def dns1123_subdomain(value: str) -> list[str]:
    """The name of most objects."""
    errors = [max_length(253)] if _too_long(value, 253) else []
    if not _SUBDOMAIN_RE.match(value):
        text = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        errors.append(regex_message(text, _SUBDOMAIN, "example.com"))
    return errors


def wildcard_dns1123_subdomain(value: str) -> list[str]:
    """A host name whose first part is `*`."""
    errors = [max_length(253)] if _too_long(value, 253) else []
    if not _WILDCARD_RE.match(value):
        text = (
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist "
            "of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
        )
        errors.append(regex_message(text, _WILDCARD, "*.example.com"))
    return errors


def dns1035_label(value: str) -> list[str]:
    """A Service's name."""
    errors = [max_length(63)] if _too_long(value, 63) else []
    if not _LABEL_1035_RE.match(value):
        text = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
            "start with an alphabetic character, and end with an alphanumeric character"
        )
        errors.append(regex_message(text, _LABEL_1035, "my-name", "abc-123"))
    return errors


def path_segment(value: str) -> list[str]:
    """A name that only has to fit into a URL path (RBAC objects)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_QUALIFIED_EXAMPLES = ("MyName", "my.name", "123-abc")


def qualified_name(value: str) -> list[str]:
    """A label's or annotation's key: a name, or a DNS prefix, a slash and a name."""
    prefix, slash, name = value.partition("/")
    if "/" in name:
        shape = regex_message(_QUALIFIED_TEXT, _QUALIFIED, *_QUALIFIED_EXAMPLES)
        return [f"a qualified name {shape} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    if not slash:
        prefix, name = "", value
    errors: list[str] = []
    if slash and not prefix:
        errors.append("prefix part must be non-empty")
    elif prefix:
        errors.extend(f"prefix part {error}" for error in dns1123_subdomain(prefix))
    if not name:
        errors.append("name part must be non-empty")
    elif _too_long(name, 63):
        errors.append(f"name part {max_length(63)}")
    if not _QUALIFIED_RE.match(name):
        errors.append(f"name part {regex_message(_QUALIFIED_TEXT, _QUALIFIED, *_QUALIFIED_EXAMPLES)}")
    return errors


def label_value(value: str) -> list[str]:
    errors = [max_length(63)] if _too_long(value, 63) else []
    if not _LABEL_VALUE_RE.match(value):
        text = (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character"
        )
        errors.append(regex_message(text, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return errors


def port_name(value: str) -> list[str]:
    """The name of a container's port (IANA service name rules)."""
    errors = [max_length(15)] if _too_long(value, 15) else []
    if not _PORT_NAME_RE.match(value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def env_var_name(value: str) -> list[str]:
    if not value:
        return ["environment variable name must be non-empty"]
    if not _ENV_VAR_RE.match(value):
        return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    return []


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret: it becomes a file's name."""
    errors = [max_length(253)] if _too_long(value, 253) else []
    if not _CONFIG_KEY_RE.match(value):
        text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        errors.append(regex_message(text, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if value in (".", ".."):
        errors.append(f"must not be '{value}'")
    elif value.startswith(".."):
        errors.append("must not start with '..'")
    return errors


def generate(prefix: str) -> str:
    """A name from `metadata.generateName`: the prefix, cut so that all fits into 63 characters, and 5 random ones."""
    suffix = "".join(secrets.choice(ALPHABET) for _ in range(_GENERATED_LENGTH))
    return prefix[: _NAME_LIMIT - _GENERATED_LENGTH] + suffix


def safe_encode(text: str | int) -> str:
    """A hash as a label value and name part that spells no word: each byte of its decimal digits picks a letter."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in str(text).encode())
