//! A person's profile photos: the current one and those before it.

use havre_store::Order;

use crate::ids::{FileId, Time, UserId};
use crate::keys;
use crate::limits::PHOTOS_MAX;
use crate::tx::{Fault, Tx};
use crate::updates::{self, Event};
use crate::users::{self, Photo};

/// A profile photo with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its number; newer ones have higher numbers.
    pub n: i64,
    /// The photo.
    pub photo: Photo,
}

/// All photos, the newest first.
///
/// # Errors
/// [`Fault`]; so for everything here.
pub async fn all(tx: &mut Tx) -> Result<Vec<Numbered>, Fault> {
    let records = tx
        .records::<Photo>(&keys::photos(), Order::Descending, PHOTOS_MAX)
        .await?;
    let mut all = Vec::with_capacity(records.len());
    for (key, photo) in records {
        let n = keys::photo_of(&key).ok_or_else(|| Fault::Corrupt("key of a photo".into()))?;
        all.push(Numbered { n, photo });
    }
    Ok(all)
}

/// Makes a photo the current one. It is kept once: where it stood before it is taken away, and beyond
/// [`PHOTOS_MAX`] the oldest goes.
///
/// # Errors
/// [`Fault`].
pub async fn set(tx: &mut Tx, owner: UserId, now: Time, file: FileId, photo: Vec<u8>) -> Result<(), Fault> {
    let mut before = all(tx).await?;
    let n = before.first().map_or(1, |newest| newest.n + 1);
    let full = before.len() >= PHOTOS_MAX;
    before.retain(|known| known.photo.photo == photo);
    for known in before {
        tx.delete(keys::photo(known.n));
    }
    if full && let Some(oldest) = all(tx).await?.last() {
        tx.delete(keys::photo(oldest.n));
    }
    let date = now.date();
    tx.put(keys::photo(n), &Photo { photo, date });
    show(tx, owner, now, Some((n, file))).await
}

/// Takes photos away by their numbers. When the current one is among them, `next` says which file a photo
/// that is left shows, and the newest is the current one then.
///
/// # Errors
/// [`Fault`].
pub async fn remove(
    tx: &mut Tx,
    owner: UserId,
    now: Time,
    numbers: &[i64],
    next: impl Fn(&Photo) -> Option<FileId>,
) -> Result<(), Fault> {
    for &n in numbers {
        tx.delete(keys::photo(n));
    }
    let current = users::own_profile(tx, owner).await?.photo;
    if current.is_some_and(|(n, _)| numbers.contains(&n)) {
        let newest = all(tx).await?.into_iter().next();
        let newest = newest.and_then(|known| Some((known.n, next(&known.photo)?)));
        show(tx, owner, now, newest).await?;
    }
    Ok(())
}

/// Sets which photo a profile shows, if any.
///
/// # Errors
/// [`Fault`].
pub async fn show(tx: &mut Tx, owner: UserId, now: Time, photo: Option<(i64, FileId)>) -> Result<(), Fault> {
    let mut profile = users::own_profile(tx, owner).await?;
    profile.photo = photo;
    tx.put(keys::profile(), &profile);
    updates::append(tx, now, Event::User(owner)).await.map(drop)
}
