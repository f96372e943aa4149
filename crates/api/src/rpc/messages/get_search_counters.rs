//! `messages.getSearchCounters`: how many messages of each kind a conversation has, in the order asked.

use havre_domain::limits::IDS_MAX;
use havre_domain::search;
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
        let mut count = 0;
        for kind in kinds(&filter)?.unwrap_or_default() {
            count += search::count(cx.view_own()?, *kind, peer, RANGE_LIMIT_MAX).await?;
        }
        let inexact = count >= RANGE_LIMIT_MAX;
        let count = i32::try_from(count).unwrap_or(i32::MAX);
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
