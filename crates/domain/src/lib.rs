//! The rules. Knows partitions; never HTTP, sockets, clocks.
