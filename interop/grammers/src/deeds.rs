//! Each request as calls of the library; raw ones where it has none of its own.

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grammers_client::client::PasswordToken;
use grammers_client::media::{Downloadable, InputMedia, Media};
use grammers_client::message::{InputMessage, Message};
use grammers_client::peer::Peer;
use grammers_client::tl::{enums, functions, types};
use grammers_client::{Client, SignInError};
use grammers_session::types::PeerRef;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::describe;
use crate::person::{API_HASH, API_ID, Person};

type Request = Value;

/// Does what a request says; `None` if the library has no way to.
pub async fn perform(person: &Person, name: &str, request: &Request) -> Result<Option<Value>> {
    if let Some(answer) = account(person, name, request).await? {
        return Ok(Some(answer));
    }
    if let Some(answer) = people(person, name, request).await? {
        return Ok(Some(answer));
    }
    if let Some(answer) = messages(person, name, request).await? {
        return Ok(Some(answer));
    }
    if let Some(answer) = files(person, name, request).await? {
        return Ok(Some(answer));
    }
    groups(person, name, request).await
}

fn text<'a>(request: &'a Request, key: &str) -> Result<&'a str> {
    request[key].as_str().with_context(|| format!("{key} is missing"))
}

fn number(request: &Request, key: &str) -> Result<i64> {
    request[key].as_i64().with_context(|| format!("{key} is missing"))
}

fn message_id(request: &Request, key: &str) -> Result<i32> {
    Ok(i32::try_from(number(request, key)?)?)
}

fn message_ids(request: &Request) -> Result<Vec<i32>> {
    let ids = request["ids"].as_array().context("ids is missing")?;
    ids.iter()
        .map(|id| Ok(i32::try_from(id.as_i64().context("an id is no number")?)?))
        .collect()
}

async fn peer(person: &Person, request: &Request) -> Result<PeerRef> {
    person.peer(text(request, "peer")?).await
}

async fn input_user(person: &Person, id: i64) -> Result<enums::InputUser> {
    Ok(person.peer(&format!("user:{id}")).await?.into())
}

fn chat_id(request: &Request) -> Result<i64> {
    let name = text(request, "peer")?;
    Ok(name.strip_prefix("chat:").context("not a group")?.parse()?)
}

async fn account(person: &Person, name: &str, request: &Request) -> Result<Option<Value>> {
    if name == "connect" {
        person.connect().await?;
        return Ok(Some(Value::Null));
    }
    if name == "disconnect" {
        person.disconnect().await?;
        return Ok(Some(Value::Null));
    }
    let client = person.client()?;
    Ok(Some(match name {
        "send_code" => send_code(person, &client, text(request, "phone")?).await?,
        "enter_code" => enter_code(person, &client, request).await?,
        "enter_password" => enter_password(person, &client, text(request, "password")?).await?,
        "log_out" => {
            client.sign_out().await?;
            Value::Null
        }
        "qr_start" => qr_start(&client).await?,
        "qr_finish" => qr_finish(person, &client).await?,
        "qr_accept" => {
            let url = text(request, "url")?;
            let token = url
                .split_once("token=")
                .context("no token in the link")?
                .1
                .trim_end_matches('=');
            client
                .invoke(&functions::auth::AcceptLoginToken {
                    token: URL_SAFE_NO_PAD.decode(token)?,
                })
                .await?;
            Value::Null
        }
        "sessions" => sessions(&client).await?,
        "terminate" => {
            let hash = text(request, "hash")?.parse()?;
            client
                .invoke(&functions::account::ResetAuthorization { hash })
                .await?;
            Value::Null
        }
        _ => return Ok(None),
    }))
}

/// Raw, as signing in below: the library's token hides the hash that the sign-up it lacks needs.
async fn send_code(person: &Person, client: &Client, phone: &str) -> Result<Value> {
    let settings = types::CodeSettings {
        allow_flashcall: false,
        current_number: false,
        allow_app_hash: false,
        allow_missed_call: false,
        allow_firebase: false,
        logout_tokens: None,
        token: None,
        app_sandbox: None,
        unknown_number: false,
    };
    let request = functions::auth::SendCode {
        phone_number: phone.to_owned(),
        api_id: API_ID,
        api_hash: API_HASH.to_owned(),
        settings: settings.into(),
    };
    let enums::auth::SentCode::Code(sent) = client.invoke(&request).await? else {
        bail!("no code was sent")
    };
    let mut login = person.login.lock().await;
    login.phone = phone.to_owned();
    login.code_hash = sent.phone_code_hash;
    Ok(Value::Null)
}

async fn enter_code(person: &Person, client: &Client, request: &Request) -> Result<Value> {
    let mut login = person.login.lock().await;
    let sign_in = functions::auth::SignIn {
        phone_number: login.phone.clone(),
        phone_code_hash: login.code_hash.clone(),
        phone_code: Some(text(request, "code")?.to_owned()),
        email_verification: None,
    };
    match client.invoke(&sign_in).await {
        Ok(enums::auth::Authorization::SignUpRequired(_)) => {
            let sign_up = functions::auth::SignUp {
                no_joined_notifications: false,
                phone_number: login.phone.clone(),
                phone_code_hash: login.code_hash.clone(),
                first_name: text(request, "first_name")?.to_owned(),
                last_name: request["last_name"].as_str().unwrap_or_default().to_owned(),
            };
            authorized(person, client.invoke(&sign_up).await?, true).await
        }
        Ok(answer) => authorized(person, answer, false).await,
        Err(error) if error.is("SESSION_PASSWORD_NEEDED") => {
            let enums::account::Password::Password(password) =
                client.invoke(&functions::account::GetPassword {}).await?;
            login.password = Some(PasswordToken::new(password));
            Ok(json!({ "password_needed": true }))
        }
        Err(error) => Err(error.into()),
    }
}

async fn authorized(person: &Person, answer: enums::auth::Authorization, new: bool) -> Result<Value> {
    let enums::auth::Authorization::Authorization(answer) = answer else {
        bail!("a sign-up is required")
    };
    let enums::User::User(user) = answer.user else {
        bail!("nobody is logged in")
    };
    person.complete_login(&user).await?;
    Ok(json!({ "id": user.id, "new": new }))
}

async fn enter_password(person: &Person, client: &Client, password: &str) -> Result<Value> {
    let mut login = person.login.lock().await;
    let token = login.password.take().context("no password was asked for")?;
    match client.check_password(token, password).await {
        Ok(user) => {
            person.start_updates().await?;
            Ok(json!({ "id": user.id().bare_id(), "new": false }))
        }
        Err(SignInError::InvalidPassword(token)) => {
            login.password = Some(token);
            bail!("PASSWORD_HASH_INVALID")
        }
        Err(error) => bail!("{error}"),
    }
}

fn export_token() -> functions::auth::ExportLoginToken {
    functions::auth::ExportLoginToken {
        api_id: API_ID,
        api_hash: API_HASH.to_owned(),
        except_ids: Vec::new(),
    }
}

async fn qr_start(client: &Client) -> Result<Value> {
    let enums::auth::LoginToken::Token(token) = client.invoke(&export_token()).await? else {
        bail!("no token was given out");
    };
    Ok(json!({ "url": format!("tg://login?token={}", URL_SAFE_NO_PAD.encode(token.token)) }))
}

async fn qr_finish(person: &Person, client: &Client) -> Result<Value> {
    for _ in 0..20 {
        if let enums::auth::LoginToken::Success(success) = client.invoke(&export_token()).await? {
            return authorized(person, success.authorization, false).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    bail!("nobody accepted the token")
}

async fn sessions(client: &Client) -> Result<Value> {
    let enums::account::Authorizations::Authorizations(answer) =
        client.invoke(&functions::account::GetAuthorizations {}).await?;
    let rows = answer.authorizations.into_iter().map(|enums::Authorization::Authorization(row)| {
        json!({ "hash": row.hash.to_string(), "current": row.current })
    });
    Ok(rows.collect())
}

async fn people(person: &Person, name: &str, request: &Request) -> Result<Option<Value>> {
    let client = person.client()?;
    Ok(Some(match name {
        "me" => {
            let enums::User::User(me) = client.get_me().await?.raw else {
                bail!("nobody is logged in")
            };
            describe::user(&me)
        }
        "user" => full_user(person, &client, number(request, "id")?).await?,
        "import_contact" => import_contact(person, &client, request).await?,
        "contacts" => contacts(person, &client).await?,
        "resolve" => {
            let found = client.resolve_username(text(request, "username")?).await?;
            let Some(Peer::User(user)) = found else {
                bail!("nobody has that name")
            };
            person.remember(std::slice::from_ref(&user.raw));
            json!({ "id": user.id().bare_id() })
        }
        "update_profile" => {
            let request = functions::account::UpdateProfile {
                first_name: Some(text(request, "first_name")?.to_owned()),
                last_name: None,
                about: Some(text(request, "about")?.to_owned()),
            };
            client.invoke(&request).await?;
            Value::Null
        }
        "set_username" => {
            let username = text(request, "username")?.to_owned();
            client
                .invoke(&functions::account::UpdateUsername { username })
                .await?;
            Value::Null
        }
        "block" => {
            let id = person
                .peer(&format!("user:{}", number(request, "id")?))
                .await?
                .into();
            if request["blocked"] == true {
                client
                    .invoke(&functions::contacts::Block {
                        my_stories_from: false,
                        id,
                    })
                    .await?;
            } else {
                client
                    .invoke(&functions::contacts::Unblock {
                        my_stories_from: false,
                        id,
                    })
                    .await?;
            }
            Value::Null
        }
        _ => return Ok(None),
    }))
}

async fn full_user(person: &Person, client: &Client, id: i64) -> Result<Value> {
    let request = functions::users::GetFullUser {
        id: input_user(person, id).await?,
    };
    let enums::users::UserFull::Full(answer) = client.invoke(&request).await?;
    let enums::UserFull::Full(full) = answer.full_user;
    for user in answer.users {
        if let enums::User::User(user) = user
            && user.id == id
        {
            let mut described = describe::user(&user);
            described["about"] = json!(full.about);
            return Ok(described);
        }
    }
    bail!("the answer lacks the user")
}

async fn import_contact(person: &Person, client: &Client, request: &Request) -> Result<Value> {
    let contact = types::InputPhoneContact {
        client_id: 0,
        phone: text(request, "phone")?.to_owned(),
        first_name: text(request, "first_name")?.to_owned(),
        last_name: String::new(),
        note: None,
    };
    let contacts = vec![contact.into()];
    let enums::contacts::ImportedContacts::Contacts(answer) = client
        .invoke(&functions::contacts::ImportContacts { contacts })
        .await?;
    person.remember(&answer.users);
    let imported = answer
        .imported
        .first()
        .map(|enums::ImportedContact::Contact(contact)| contact.user_id);
    Ok(json!({ "id": imported }))
}

async fn contacts(person: &Person, client: &Client) -> Result<Value> {
    let answer = client
        .invoke(&functions::contacts::GetContacts { hash: 0 })
        .await?;
    let enums::contacts::Contacts::Contacts(answer) = answer else {
        bail!("contacts are not modified")
    };
    person.remember(&answer.users);
    Ok(answer.users.iter().map(|user| json!(user.id())).collect())
}

async fn messages(person: &Person, name: &str, request: &Request) -> Result<Option<Value>> {
    let client = person.client()?;
    Ok(Some(match name {
        "send_text" => {
            let reply_to = request["reply_to"].as_i64().map(i32::try_from).transpose()?;
            let message = InputMessage::new()
                .text(text(request, "text")?)
                .reply_to(reply_to);
            let sent = client.send_message(peer(person, request).await?, message).await?;
            describe::message(&sent.raw)
        }
        "edit" => edit(person, &client, request).await?,
        "delete" => {
            let (id, revoke) = (message_ids(request)?, request["revoke"] == true);
            client
                .invoke(&functions::messages::DeleteMessages { revoke, id })
                .await?;
            Value::Null
        }
        "forward" => {
            let source = person.peer(text(request, "source")?).await?;
            let ids = message_ids(request)?;
            let sent = client
                .forward_messages(peer(person, request).await?, &ids, source)
                .await?;
            described(&sent.into_iter().flatten().collect::<Vec<_>>())
        }
        "read" => {
            let (peer, max_id) = (
                peer(person, request).await?.into(),
                message_id(request, "max_id")?,
            );
            client
                .invoke(&functions::messages::ReadHistory { peer, max_id })
                .await?;
            Value::Null
        }
        "typing" => {
            let action = enums::SendMessageAction::SendMessageTypingAction;
            let peer = peer(person, request).await?.into();
            client
                .invoke(&functions::messages::SetTyping {
                    peer,
                    top_msg_id: None,
                    action,
                })
                .await?;
            Value::Null
        }
        "history" => history(person, &client, request).await?,
        "search" => {
            let mut found = client
                .search_messages(peer(person, request).await?)
                .query(text(request, "query")?);
            let mut rows = Vec::new();
            while let Some(message) = found.next().await? {
                rows.push(describe::message(&message.raw));
            }
            json!(rows)
        }
        "dialogs" => dialogs(&client).await?,
        "save_draft" => save_draft(person, &client, request).await?,
        "drafts" => drafts(&client).await?,
        _ => return Ok(None),
    }))
}

fn described(messages: &[Message]) -> Value {
    messages
        .iter()
        .map(|message| describe::message(&message.raw))
        .collect()
}

/// The library's edit answers nothing, so the message is read again.
async fn edit(person: &Person, client: &Client, request: &Request) -> Result<Value> {
    let (peer, id) = (peer(person, request).await?, message_id(request, "id")?);
    client.edit_message(peer, id, text(request, "text")?).await?;
    let found = client.get_messages_by_id(peer, &[id]).await?;
    let message = found
        .into_iter()
        .next()
        .flatten()
        .context("the edited message is gone")?;
    Ok(describe::message(&message.raw))
}

async fn history(person: &Person, client: &Client, request: &Request) -> Result<Value> {
    let limit = usize::try_from(number(request, "limit")?)?;
    let offset = i32::try_from(request["offset_id"].as_i64().unwrap_or(0))?;
    let mut found = client
        .iter_messages(peer(person, request).await?)
        .limit(limit)
        .offset_id(offset);
    let mut rows = Vec::new();
    while let Some(message) = found.next().await? {
        rows.push(describe::message(&message.raw));
    }
    Ok(json!(rows))
}

async fn dialogs(client: &Client) -> Result<Value> {
    let mut found = client.iter_dialogs();
    let mut rows = Vec::new();
    while let Some(dialog) = found.next().await? {
        if let enums::Dialog::Dialog(raw) = &dialog.raw {
            let peer = describe::peer_name(&raw.peer);
            rows.push(json!({ "peer": peer, "unread": raw.unread_count, "top": raw.top_message }));
        }
    }
    Ok(json!(rows))
}

async fn save_draft(person: &Person, client: &Client, request: &Request) -> Result<Value> {
    let request = functions::messages::SaveDraft {
        no_webpage: false,
        invert_media: false,
        reply_to: None,
        peer: peer(person, request).await?.into(),
        message: text(request, "text")?.to_owned(),
        entities: None,
        media: None,
        effect: None,
        suggested_post: None,
        rich_message: None,
    };
    client.invoke(&request).await?;
    Ok(Value::Null)
}

async fn drafts(client: &Client) -> Result<Value> {
    let enums::Updates::Updates(answer) = client.invoke(&functions::messages::GetAllDrafts {}).await? else {
        bail!("drafts come as one list of updates");
    };
    let rows = answer.updates.iter().filter_map(|update| match update {
        enums::Update::DraftMessage(types::UpdateDraftMessage {
            peer,
            draft: enums::DraftMessage::Message(draft),
            ..
        }) => Some(json!({ "peer": describe::peer_name(peer), "text": draft.message })),
        _ => None,
    });
    Ok(rows.collect())
}

async fn files(person: &Person, name: &str, request: &Request) -> Result<Option<Value>> {
    let client = person.client()?;
    Ok(Some(match name {
        "send_file" => {
            let file = client.upload_file(text(request, "path")?).await?;
            let message = InputMessage::new().document(file);
            describe::message(
                &client
                    .send_message(peer(person, request).await?, message)
                    .await?
                    .raw,
            )
        }
        "send_photo" => {
            let file = client.upload_file(text(request, "path")?).await?;
            let message = InputMessage::new().text(text(request, "caption")?).photo(file);
            describe::message(
                &client
                    .send_message(peer(person, request).await?, message)
                    .await?
                    .raw,
            )
        }
        "send_album" => {
            let mut medias = Vec::new();
            for path in request["paths"].as_array().context("paths is missing")? {
                let file = client
                    .upload_file(path.as_str().context("a path is no text")?)
                    .await?;
                medias.push(InputMedia::new().photo(file));
            }
            let sent = client.send_album(peer(person, request).await?, medias).await?;
            described(&sent.into_iter().flatten().collect::<Vec<_>>())
        }
        "download" => {
            let (peer, id) = (peer(person, request).await?, message_id(request, "id")?);
            let found = client.get_messages_by_id(peer, &[id]).await?;
            let message = found
                .into_iter()
                .next()
                .flatten()
                .context("the message is gone")?;
            download(&client, &message.media().context("the message has no media")?).await?
        }
        "set_photo" => {
            let file = client.upload_file(text(request, "path")?).await?.raw;
            let request = functions::photos::UploadProfilePhoto {
                fallback: false,
                bot: None,
                file: Some(file),
                video: None,
                video_start_ts: None,
                video_emoji_markup: None,
            };
            client.invoke(&request).await?;
            Value::Null
        }
        "download_photo" => {
            let user = person.peer(&format!("user:{}", number(request, "id")?)).await?;
            let photo = client
                .iter_profile_photos(user)
                .next()
                .await?
                .context("there is no photo")?;
            download(&client, &Media::Photo(photo)).await?
        }
        _ => return Ok(None),
    }))
}

async fn download<D: Downloadable>(client: &Client, media: &D) -> Result<Value> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut chunks = client.iter_download(media);
    while let Some(chunk) = chunks.next().await? {
        size += chunk.len();
        hash.update(&chunk);
    }
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(json!({ "size": size, "sha256": digest }))
}

async fn groups(person: &Person, name: &str, request: &Request) -> Result<Option<Value>> {
    let client = person.client()?;
    Ok(Some(match name {
        "create_group" => create_group(person, &client, request).await?,
        "add_member" => {
            let user_id = input_user(person, number(request, "user")?).await?;
            let request = functions::messages::AddChatUser {
                chat_id: chat_id(request)?,
                user_id,
                fwd_limit: 100,
            };
            client.invoke(&request).await?;
            Value::Null
        }
        "remove_member" => {
            let user = person.peer(&format!("user:{}", number(request, "user")?)).await?;
            client
                .kick_participant(peer(person, request).await?, user)
                .await?;
            Value::Null
        }
        "leave" => {
            client.delete_dialog(peer(person, request).await?).await?;
            Value::Null
        }
        "set_title" => {
            let title = text(request, "title")?.to_owned();
            client
                .invoke(&functions::messages::EditChatTitle {
                    chat_id: chat_id(request)?,
                    title,
                })
                .await?;
            Value::Null
        }
        "members" => {
            let mut found = client.iter_participants(peer(person, request).await?);
            let mut rows = Vec::new();
            while let Some(member) = found.next().await? {
                rows.push(json!(member.user.id().bare_id()));
            }
            json!(rows)
        }
        "export_invite" => export_invite(person, &client, request).await?,
        "join" => join(&client, text(request, "link")?).await?,
        _ => return Ok(None),
    }))
}

async fn create_group(person: &Person, client: &Client, request: &Request) -> Result<Value> {
    let mut users = Vec::new();
    for user in request["users"].as_array().context("users is missing")? {
        users.push(input_user(person, user.as_i64().context("a user is no number")?).await?);
    }
    let title = text(request, "title")?.to_owned();
    let request = functions::messages::CreateChat {
        users,
        title,
        ttl_period: None,
    };
    let enums::messages::InvitedUsers::Users(answer) = client.invoke(&request).await?;
    made_group(&answer.updates)
}

fn made_group(updates: &enums::Updates) -> Result<Value> {
    let enums::Updates::Updates(updates) = updates else {
        bail!("the answer lacks the group")
    };
    let chat = updates.chats.first().context("the answer lacks the group")?;
    Ok(json!({ "peer": format!("chat:{}", chat.id()) }))
}

async fn export_invite(person: &Person, client: &Client, request: &Request) -> Result<Value> {
    let request = functions::messages::ExportChatInvite {
        legacy_revoke_permanent: false,
        request_needed: false,
        peer: peer(person, request).await?.into(),
        expire_date: None,
        usage_limit: None,
        title: None,
        subscription_pricing: None,
    };
    let enums::ExportedChatInvite::ChatInviteExported(invite) = client.invoke(&request).await? else {
        bail!("no link was made");
    };
    Ok(json!({ "link": invite.link }))
}

async fn join(client: &Client, link: &str) -> Result<Value> {
    let hash = link
        .rsplit(['/', '+'])
        .next()
        .context("no hash in the link")?
        .to_owned();
    let answer = client
        .invoke(&functions::messages::ImportChatInvite { hash })
        .await?;
    let enums::messages::ChatInviteJoinResult::Ok(answer) = answer else {
        bail!("the link needs a browser")
    };
    made_group(&answer.updates)
}
