//! References of files. What is kept holds none that is good for long, so whatever shows a file gives it one that
//! is good from now on; a client whose own has expired fetches anew what showed the file
//! (core.telegram.org/api/file-references).

use havre_domain::files;
use havre_domain::ids::FileId;
use havre_domain::world::World;
use havre_tl::{enums, types};

/// A photo as it is shown now.
#[must_use]
pub fn photo(world: &World, photo: types::Photo) -> types::Photo {
    let file_reference = files::reference(&world.secret, FileId(photo.id), world.now);
    types::Photo {
        file_reference,
        ..photo
    }
}

fn document(world: &World, document: types::Document) -> types::Document {
    let file_reference = files::reference(&world.secret, FileId(document.id), world.now);
    types::Document {
        file_reference,
        ..document
    }
}

/// A photo, if there is one, as it is shown now.
#[must_use]
pub fn any_photo(world: &World, any: enums::Photo) -> enums::Photo {
    match any {
        enums::Photo::Photo(known) => photo(world, known).into(),
        enums::Photo::PhotoEmpty(_) => any,
    }
}

/// Media of a message as they are shown now.
#[must_use]
pub fn media(world: &World, media: enums::MessageMedia) -> enums::MessageMedia {
    use enums::MessageMedia as M;
    match media {
        M::MessageMediaPhoto(mut m) => {
            m.photo = m.photo.map(|photo| any_photo(world, photo));
            m.into()
        }
        M::MessageMediaDocument(mut m) => {
            m.document = m.document.map(|known| match known {
                enums::Document::Document(known) => document(world, known).into(),
                enums::Document::DocumentEmpty(_) => known,
            });
            m.into()
        }
        other => other,
    }
}

/// What a service message says, as it is shown now.
#[must_use]
pub fn action(world: &World, action: enums::MessageAction) -> enums::MessageAction {
    match action {
        enums::MessageAction::MessageActionChatEditPhoto(mut a) => {
            a.photo = any_photo(world, a.photo);
            a.into()
        }
        other => other,
    }
}
