"""How a daemon or a command talks to the API server: kubeconfig, REST, informers, queues, leader election, events."""
