"""What a pod's spec means, wherever it stands: in a Pod, or in the template of a ReplicaSet or Deployment.

`defaults` fills in what Kubernetes fills in; `validation` says what is wrong, part by part from the other modules here.
"""
