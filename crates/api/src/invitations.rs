//! The operator's way to let somebody in.

use havre_domain::invitations::{self, Invitation, Ticket};
use havre_domain::keys::partition;
use havre_domain::tx::Fault;

use crate::dispatch::Api;

impl Api {
    /// Makes an invitation that lasts so many days, for one person.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot answer.
    pub async fn invite(&self, days: u32) -> Result<Ticket, Fault> {
        loop {
            let mut world = self.world();
            let ticket = invitations::draw(&mut world).await?;
            let invitation = Invitation::new(&ticket, world.now, days);
            invitations::keep(world.subject(partition::phone(&ticket.number))?, &invitation).await?;
            match world.commit().await {
                Err(Fault::Conflict) => {}
                done => return done.map(|_| ticket),
            }
        }
    }
}
