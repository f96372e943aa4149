//! The shell: runtime, files, sockets, wall clock, randomness of the system.
