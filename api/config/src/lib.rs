//! How a configuration file becomes a typed value: YAML, variables, inheritance, environment, and clear refusals.
