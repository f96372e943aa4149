//! `messages.getSearchCounters`: how many messages of each kind a conversation has, in the order asked.

use havre_domain::dialogs;
use havre_domain::ids::Peer;
use havre_domain::limits::IDS_MAX;
use havre_domain::search::{self, Kind};
use havre_domain::tx::Tx;
use havre_store::limits::RANGE_LIMIT_MAX;
use havre_tl::{enums, functions, types};

use super::search::kinds;
use crate::cx::{Access, Cx};
use crate::error::{Error, RpcError};

/// Who is logged in.
pub const ACCESS: Access = Access::Login;

/// Answers.
///
/// # Errors
/// `400 PEER_ID_INVALID`, `400 LIMIT_INVALID` for too many at once.
pub async fn call(
    cx: &mut Cx,
    request: functions::messages::GetSearchCounters,
) -> Result<Vec<enums::messages::SearchCounter>, Error> {
    let peer = cx.input_peer(&request.peer).await?;
    if request.filters.len() > IDS_MAX {
        return Err(RpcError::LIMIT_INVALID.into());
    }
    let mut counters = Vec::with_capacity(request.filters.len());
    for filter in request.filters {
        let tx = cx.view_box(peer)?;
        let (count, inexact) = match kinds(&filter)? {
            None => (dialogs::dialog(tx, peer).await?.count, false),
            Some(kinds) => of_kinds(tx, peer, kinds).await?,
        };
        counters.push(
            types::messages::SearchCounter {
                inexact,
                filter,
                count,
            }
            .into(),
        );
    }
    Ok(counters)
}

/// How many messages of these kinds there are, and whether there may be more.
async fn of_kinds(tx: &mut Tx, peer: Peer, kinds: &[Kind]) -> Result<(i32, bool), Error> {
    let (mut sum, mut inexact) = (0, false);
    for kind in kinds {
        let count = search::count(tx, *kind, peer, RANGE_LIMIT_MAX).await?;
        sum += i32::try_from(count).unwrap_or(i32::MAX);
        inexact |= count >= RANGE_LIMIT_MAX;
    }
    Ok((sum, inexact))
}
