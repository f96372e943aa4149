//! Codes for whoever watches the server's console.

use async_trait::async_trait;

use crate::provider::{Failure, Message, Provider};

/// Hands every message to a callback that prints it.
pub struct Console<F>(F);

impl<F: Fn(&Message) + Send + Sync> Console<F> {
    /// Prints by `print`.
    pub fn new(print: F) -> Self {
        Self(print)
    }
}

#[async_trait]
impl<F: Fn(&Message) + Send + Sync> Provider for Console<F> {
    fn name(&self) -> &'static str {
        "console"
    }

    async fn deliver(&self, message: &Message) -> Result<(), Failure> {
        (self.0)(message);
        Ok(())
    }
}
