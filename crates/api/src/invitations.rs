//! The operator's way to let somebody in.

use havre_domain::invitations::{self, Invitation, Ticket};
use havre_domain::keys::partition;
use havre_domain::tx::Fault;

use crate::dispatch::Api;

/// Seconds of a day.
const DAY: i64 = 24 * 3600;

impl Api {
    /// Makes an invitation that lasts so many days, for one person.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot answer.
    pub async fn invite(&self, days: u32) -> Result<Ticket, Fault> {
        loop {
            let mut world = self.world();
            let expires = world.now.plus(i64::from(days) * DAY);
            let ticket = invitations::draw(&mut world).await?;
            let invitation = Invitation {
                code: ticket.code.clone(),
                expires,
                tries: 0,
            };
            invitations::keep(world.subject(partition::phone(&ticket.number))?, &invitation).await?;
            match world.commit().await {
                Err(Fault::Conflict) => {}
                done => return done.map(|_| ticket),
            }
        }
    }
}
