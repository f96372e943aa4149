//! What clients may ask and will be told. Never a socket.
