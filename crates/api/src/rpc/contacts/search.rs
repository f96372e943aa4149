//! `contacts.search`: people and groups by the beginning of a word of their name. Whom the asker knows comes
//! first; of everybody else only the owner of exactly that username is found, so that nobody can be
//! discovered by trying.

use havre_domain::dialogs::{self, FOLDER_ARCHIVE};
use havre_domain::flood::NAME_LOOKUPS;
use havre_domain::ids::{Peer, UserId};
use havre_domain::keys::partition;
use havre_domain::limits::{PAGE_MAX, SEARCHED_DIALOGS_MAX};
use havre_domain::{channel_members, channels, chats, contacts, search, usernames, users};
use havre_tl::{enums, functions, types};

use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};
use crate::render::{self, Named};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 SEARCH_QUERY_EMPTY`, `420 FLOOD_WAIT_n` for too many names looked up.
pub async fn call(
    cx: &mut Cx,
    request: functions::contacts::Search,
) -> Result<enums::contacts::Found, Error> {
    let me = cx.me()?;
    let query = request.q.trim().trim_start_matches('@');
    let wanted = search::words(query);
    if wanted.is_empty() {
        return Err(RpcError::SEARCH_QUERY_EMPTY.into());
    }
    // Bots and channels alone were asked for: there are none.
    if request.bots || request.broadcasts {
        return Ok(types::contacts::Found::default().into());
    }
    let limit = usize::try_from(request.limit).unwrap_or(0).clamp(1, PAGE_MAX);
    let mut mine = Vec::new();
    for peer in known(cx).await? {
        if mine.len() < limit && matches(&names(cx, peer).await?, &wanted) {
            mine.push(peer);
        }
    }
    let owner = named_exactly(cx, query).await?.map(Peer::User);
    let others: Vec<Peer> = owner.filter(|peer| !mine.contains(peer)).into_iter().collect();
    let mut named = Named::default();
    mine.iter().chain(&others).for_each(|peer| named.peer(*peer));
    let (users, chats) = named.load(&mut cx.world, me).await?;
    Ok(types::contacts::Found {
        my_results: mine.into_iter().map(render::peer).collect(),
        results: others.into_iter().map(render::peer).collect(),
        chats,
        users,
    }
    .into())
}

/// Contacts, then the newest conversations, each once.
async fn known(cx: &mut Cx) -> Result<Vec<Peer>, Error> {
    let tx = cx.view_own()?;
    let mut known: Vec<Peer> = Vec::new();
    for contact in contacts::all(tx).await? {
        known.push(Peer::User(contact.user));
    }
    for folder in [0, FOLDER_ARCHIVE] {
        for (peer, _) in dialogs::page(tx, folder, None, SEARCHED_DIALOGS_MAX).await? {
            if !known.contains(&peer) {
                known.push(peer);
            }
        }
    }
    let joined = channel_members::joined(tx).await?;
    known.extend(joined.into_iter().map(Peer::Channel));
    Ok(known)
}

/// Everything that a peer is called, as the asker sees it.
async fn names(cx: &mut Cx, peer: Peer) -> Result<String, Error> {
    let user = match peer {
        Peer::User(user) => user,
        Peer::Chat(chat) => {
            let stored = chats::chat(cx.world.view(partition::chat(chat))).await?;
            return Ok(stored.map(|c| c.title).unwrap_or_default());
        }
        Peer::Channel(channel) => {
            let stored = channels::channel(cx.world.view(partition::channel(channel))).await?;
            let named = |c: channels::Channel| format!("{} {}", c.title, c.username.unwrap_or_default());
            return Ok(stored.map(named).unwrap_or_default());
        }
    };
    let Some(profile) = users::profile(cx.world.view_user(user)).await? else {
        return Ok(String::new());
    };
    let contact = contacts::contact(cx.view_own()?, user).await?;
    let (first, last) = match contact {
        Some(contact) => (contact.first_name, contact.last_name),
        None => (profile.first_name, profile.last_name),
    };
    // Search tells words apart at `_`, which usernames have inside.
    let username = profile.username.unwrap_or_default();
    Ok(format!("{first} {last} {username}"))
}

/// Whether each wanted word begins a word of the names.
fn matches(names: &str, wanted: &[String]) -> bool {
    let words = search::words(names);
    wanted
        .iter()
        .all(|wanted| words.iter().any(|word| word.starts_with(wanted)))
}

async fn named_exactly(cx: &mut Cx, name: &str) -> Result<Option<UserId>, Error> {
    if !usernames::is_valid(name) {
        return Ok(None);
    }
    cx.spend(NAME_LOOKUPS, 1).await?;
    let claim = cx.world.view(partition::username(&name.to_ascii_lowercase()));
    Ok(usernames::owner(claim).await?)
}
