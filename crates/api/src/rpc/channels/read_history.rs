//! `channels.readHistory`: messages of a channel are read; who wrote them is told.

use std::collections::BTreeSet;

use havre_domain::channel_dialogs::{self, Read};
use havre_domain::ids::{ChannelId, MessageId, Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::{channels, messages};
use havre_store::Order;
use havre_tl::{functions, types};

use crate::cx::{Access, After, Cx};
use crate::error::Error;
use crate::render;

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Newest messages that became read whose authors are told at once; others see it when they look.
const AUTHORS_LOOKED_FOR: usize = 100;

/// Answers.
///
/// # Errors
/// `400 CHANNEL_INVALID`, `406 CHANNEL_PRIVATE`.
pub async fn call(cx: &mut Cx, request: functions::channels::ReadHistory) -> Result<bool, Error> {
    let (me, now) = (cx.me()?, cx.world.now);
    let channel = cx.input_channel(&request.channel).await?;
    if !cx.readable(channel).await?.is_present() {
        return Ok(false);
    }
    let max_id = MessageId(request.max_id);
    let Some(read) = channel_dialogs::advance(&mut cx.world, me, channel, max_id).await? else {
        return Ok(false);
    };
    tell_authors(cx, channel, read).await?;
    channel_dialogs::read(&mut cx.world, now, me, channel, read).await?;
    Ok(true)
}

/// Tells those who wrote what nobody had read before, and are connected.
async fn tell_authors(cx: &mut Cx, channel: ChannelId, read: Read) -> Result<(), Error> {
    for author in authors(cx, channel, read).await? {
        if !cx.api.live.is_connected(author) {
            continue;
        }
        let update = types::UpdateReadChannelOutbox {
            channel_id: channel.0,
            max_id: read.max_id.0,
        };
        let updates = types::Updates {
            updates: vec![update.into()],
            chats: vec![render::channel(&mut cx.world, author, channel).await?],
            date: cx.world.now.date(),
            ..types::Updates::default()
        };
        let (user, updates) = (author, Box::new(updates.into()));
        cx.after.push(After::Tell { user, updates });
    }
    Ok(())
}

async fn authors(cx: &mut Cx, id: ChannelId, read: Read) -> Result<BTreeSet<UserId>, Error> {
    let me = cx.me()?;
    let tx = cx.world.view(partition::channel(id));
    let Some(channel) = channels::channel(tx).await?.filter(|c| c.megagroup) else {
        return Ok(BTreeSet::new());
    };
    let from = MessageId(read.before.max(channel.read_by_others).0.saturating_add(1));
    let to = MessageId(read.max_id.0.saturating_add(1));
    let order = Order::Descending;
    let peer = Peer::Channel(id);
    let newly = messages::page(tx, peer, from, to, order, AUTHORS_LOOKED_FOR).await?;
    Ok(newly
        .iter()
        .map(|(_, m)| m.from)
        .filter(|from| *from != me)
        .collect())
}
