//! A person who uses grammers; see ../README.md for the lines that go in and out.

mod deeds;
mod describe;
mod person;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use person::Person;

fn emit(line: &Value) {
    println!("{line}");
}

async fn perform(person: Arc<Person>, request: Value) {
    let call = request["call"].clone();
    let name = request["do"].as_str().unwrap_or_default().to_owned();
    emit(&match deeds::perform(&person, &name, &request).await {
        Ok(Some(result)) => json!({ "call": call, "ok": result }),
        Ok(None) => json!({ "call": call, "unsupported": true }),
        Err(error) => json!({ "call": call, "error": format!("{error:#}") }),
    });
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let person = Arc::new(Person::new().await?);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        tokio::spawn(perform(Arc::clone(&person), serde_json::from_str(&line)?));
    }
    Ok(())
}
