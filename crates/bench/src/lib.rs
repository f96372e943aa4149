//! Load for a running server: prints tables.
