"""The rules of a CustomResourceDefinition, part by part: its names, its versions, and above all its schemas."""
