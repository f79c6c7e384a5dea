"""Docker as the kubelet sees it: records of containers, the calls that change them, and the events that tell of
change."""
