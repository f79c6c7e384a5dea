"""What protobuf field numbers mean, one file for each package; made by `api.schema.wire`."""
