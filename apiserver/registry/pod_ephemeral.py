"""The way in which containers are put into a running pod (`kubectl debug`): they come, and never change or go."""

from __future__ import annotations

from api.field import FieldError, forbidden
from apiserver.registry import pod_rules, rules
from apiserver.registry.kind import Context, Object, Strategy

_FIELD = "ephemeralContainers"
_AT = f"spec.{_FIELD}"


class EphemeralStrategy(Strategy):
    has_generation = True

    def prepare_for_update(self, new: Object, old: Object, ctx: Context) -> None:
        pod_rules.keep_all_but_spec(new, old)
        given = new["spec"].get(_FIELD)
        new["spec"] = {name: value for name, value in old["spec"].items() if name != _FIELD}
        if given:
            new["spec"][_FIELD] = given

    def validate_update(self, new: Object, old: Object, ctx: Context) -> list[FieldError]:
        if pod_rules.mirrors(old):
            return [forbidden("", "static pods do not support ephemeral containers")]
        errors = pod_rules.whole(new)
        now = {each.get("name"): each for each in new["spec"].get(_FIELD) or ()}
        for before in old["spec"].get(_FIELD) or ():
            name = before.get("name")
            if name not in now:
                errors.append(forbidden(_AT, f'existing ephemeral containers "{name}" may not be removed\n'))
            elif not rules.same(now[name], before):
                lines = "\n".join(rules.differences(now[name], before, name))
                text = f'existing ephemeral containers "{name}" may not be changed\n{lines}'
                errors.append(forbidden(_AT, text))
        return errors
