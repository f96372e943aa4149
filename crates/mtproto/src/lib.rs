//! MTProto 2.0, sans-IO, both roles. Knows no socket, clock, entropy, API type.
