"""How exec, attach and port-forward are spoken: channels in WebSocket messages, or streams of SPDY/3.1."""
