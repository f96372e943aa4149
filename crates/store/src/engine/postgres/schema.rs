//! The table, the function that commits, and the statements.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use crate::engine::postgres::OpenError;
use crate::engine::postgres::link::describe;
use crate::layout::FORMAT;

/// What [`prepare`] makes in an empty database. The kinds of rows are drawn in `layout.rs`: `00` is the
/// version, and everything from `03` on is an undelivered effect, which the partial index lists.
const CREATE: &str = r"
CREATE TABLE havre_rows (
    partition bytea NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (partition, key)
);

CREATE INDEX havre_pending ON havre_rows (partition) WHERE key >= '\x03'::bytea;

-- Returns null if the commit was made, else the version that the partition has. The update locks the
-- version, so a rival of the same partition waits for it and then finds another version than it expected.
CREATE FUNCTION havre_commit(
    in_partition bytea, in_expected bytea, in_version bytea,
    in_sender bytea, in_effect bytea,
    in_keys bytea[], in_values bytea[], in_deleted bytea[]
) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
    IF in_expected = '\x0000000000000000'::bytea THEN
        INSERT INTO havre_rows (partition, key, value) VALUES (in_partition, '\x00'::bytea, in_version)
        ON CONFLICT (partition, key) DO NOTHING;
    ELSE
        UPDATE havre_rows SET value = in_version
        WHERE partition = in_partition AND key = '\x00'::bytea AND value = in_expected
          AND NOT EXISTS (
            SELECT FROM havre_rows received
            WHERE received.partition = in_partition AND received.key = in_sender
              AND received.value >= in_effect);
    END IF;
    IF NOT FOUND THEN
        RETURN coalesce(
            (SELECT value FROM havre_rows WHERE partition = in_partition AND key = '\x00'::bytea),
            '\x0000000000000000'::bytea);
    END IF;
    IF cardinality(in_keys) > 0 THEN
        INSERT INTO havre_rows (partition, key, value)
        SELECT in_partition, put.key, put.value FROM unnest(in_keys, in_values) AS put (key, value)
        ON CONFLICT (partition, key) DO UPDATE SET value = excluded.value;
    END IF;
    IF cardinality(in_deleted) > 0 THEN
        DELETE FROM havre_rows WHERE partition = in_partition AND key = ANY (in_deleted);
    END IF;
    RETURN NULL;
END $$;

CREATE TABLE havre_meta (name text PRIMARY KEY, value bigint NOT NULL);
";

/// Partition, expected version, new version, row of the sender, effect, keys, values, deleted keys.
pub(super) const COMMIT: &str = "SELECT havre_commit($1, $2, $3, $4, $5, $6, $7, $8)";

/// Partition, keys, then of each range: start, end, limit, whether descending.
pub(super) const READ: &str = r"
SELECT 0::bigint AS range, key, value FROM havre_rows WHERE partition = $1 AND key = ANY ($2::bytea[])
UNION ALL
SELECT range, found.key, found.value
FROM unnest($3::bytea[], $4::bytea[], $5::bigint[], $6::boolean[])
     WITH ORDINALITY AS asked (first, last, most, descending, range),
LATERAL (
    SELECT key, value FROM havre_rows
    WHERE partition = $1 AND key >= asked.first AND key < asked.last AND NOT asked.descending
    ORDER BY key LIMIT asked.most
) found
UNION ALL
SELECT range, found.key, found.value
FROM unnest($3::bytea[], $4::bytea[], $5::bigint[], $6::boolean[])
     WITH ORDINALITY AS asked (first, last, most, descending, range),
LATERAL (
    SELECT key, value FROM havre_rows
    WHERE partition = $1 AND key >= asked.first AND key < asked.last AND asked.descending
    ORDER BY key DESC LIMIT asked.most
) found";

/// Partition to start at, limit. Steps over the effects of each partition that it returns.
pub(super) const PENDING: &str = r"
SELECT DISTINCT partition FROM havre_rows WHERE key >= '\x03'::bytea AND partition >= $1
ORDER BY partition LIMIT $2";

/// Partition, key to start above, first key beyond, limit.
pub(super) const OUTBOX: &str = "
SELECT key, value FROM havre_rows WHERE partition = $1 AND key > $2 AND key < $3 ORDER BY key LIMIT $4";

/// Partition, keys of the effects.
pub(super) const SETTLE: &str = "DELETE FROM havre_rows WHERE partition = $1 AND key = ANY ($2::bytea[])";

/// Makes the table unless it is there, and refuses one of a newer server.
pub(super) async fn prepare(config: &Config) -> Result<(), OpenError> {
    let (client, connection) = config.connect(NoTls).await.map_err(refused)?;
    // Ends when `client` is dropped; an error there is also an error of the client's call.
    tokio::spawn(async move { drop(connection.await) });
    let found = match format(&client).await? {
        Some(found) => found,
        None => create(&client).await?,
    };
    if found > FORMAT.into() {
        return Err(OpenError::NewerFormat { found, known: FORMAT });
    }
    Ok(())
}

async fn format(client: &Client) -> Result<Option<i64>, OpenError> {
    let exists = "SELECT to_regclass('havre_meta') IS NOT NULL";
    if !client
        .query_one(exists, &[])
        .await
        .map_err(refused)?
        .get::<_, bool>(0)
    {
        return Ok(None);
    }
    let row = client
        .query_one("SELECT value FROM havre_meta WHERE name = 'format'", &[])
        .await;
    row.map(|row| Some(row.get(0))).map_err(refused)
}

async fn create(client: &Client) -> Result<i64, OpenError> {
    let insert = format!("INSERT INTO havre_meta (name, value) VALUES ('format', {FORMAT});");
    match client
        .batch_execute(&format!("BEGIN; {CREATE} {insert} COMMIT;"))
        .await
    {
        Ok(()) => Ok(FORMAT.into()),
        // Another server made it at the same moment.
        Err(error) if exists_already(&error) => {
            client.batch_execute("ROLLBACK").await.map_err(refused)?;
            format(client).await?.ok_or_else(|| refused(error))
        }
        Err(error) => Err(refused(error)),
    }
}

fn exists_already(error: &tokio_postgres::Error) -> bool {
    let twice = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_FUNCTION,
    ];
    error.code().is_some_and(|code| twice.contains(code))
}

fn refused(error: tokio_postgres::Error) -> OpenError {
    OpenError::Refused(describe(&error))
}
