//! Looks at the broker and changes nothing there: for operators.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ConnectionProperties};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

use super::{Names, QueueError};
use crate::store::jobs::Lane;

/// How a queue stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueState {
    /// As it must be.
    Good {
        /// Messages that are ready.
        ready: u32,
        /// Who consumes it.
        consumers: u32,
    },
    /// It is not there: the first process of ours to connect declares it.
    Missing,
    /// It was declared with other arguments than ours.
    OtherArguments,
    /// The broker does not let us look.
    Refused,
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLook {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: QueueState,
}

/// Connects and looks at each queue: those of the lanes, and last the one of dead letters.
///
/// # Errors
/// The broker cannot be reached, or refuses us.
pub async fn look(url: &str, prefix: &str) -> Result<Vec<QueueLook>, QueueError> {
    let properties = ConnectionProperties::default().with_connection_name("rb-ocr doctor".into());
    let connection = Connection::connect(url, properties).await?;
    let names = Names::new(prefix);
    let mut looks = Vec::new();
    for name in Lane::ALL.map(|lane| names.lane(lane)).into_iter().chain([names.dead()]) {
        let state = look_at(&connection, &name).await?;
        looks.push(QueueLook { name, state });
    }
    connection.close(200, "bye".into()).await?;
    Ok(looks)
}

async fn look_at(connection: &Connection, name: &str) -> Result<QueueState, QueueError> {
    // A refusal closes its channel, so each queue has its own.
    let channel = connection.create_channel().await?;
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    let (ready, consumers) = match channel.queue_declare(name.into(), passive, FieldTable::default()).await {
        Ok(queue) => (queue.message_count(), queue.consumer_count()),
        Err(error) if reply_code(&error) == Some(404) => return Ok(QueueState::Missing),
        Err(error) if reply_code(&error).is_some() => return Ok(QueueState::Refused),
        Err(error) => return Err(error.into()),
    };
    // It is there, so that declaring it as we do makes nothing, and fails where its arguments are others.
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    match channel.queue_declare(name.into(), QueueDeclareOptions::durable(), quorum).await {
        Ok(_) => Ok(QueueState::Good { ready, consumers }),
        Err(error) if reply_code(&error) == Some(406) => Ok(QueueState::OtherArguments),
        Err(error) if reply_code(&error).is_some() => Ok(QueueState::Refused),
        Err(error) => Err(error.into()),
    }
}

/// The code of the broker's refusal (AMQP 0-9-1, section 1.2); none: it is no refusal.
fn reply_code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(refusal) => Some(refusal.get_id()),
        _ => None,
    }
}

/// The broker's version, which it says in the first frame of a connection and our client does not pass on. None
/// over TLS, and where it is not said.
pub async fn version(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "amqp")?;
    let greeting = async {
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let mut stream = tokio::net::TcpStream::connect((host, url.port().unwrap_or(5672))).await.ok()?;
        stream.write_all(b"AMQP\0\0\x09\x01").await.ok()?;
        let mut head = [0; 7];
        stream.read_exact(&mut head).await.ok()?;
        let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
        let mut frame = vec![0; usize::try_from(size).ok().filter(|size| *size <= 65_536)?];
        stream.read_exact(&mut frame).await.ok()?;
        version_in(&frame)
    };
    tokio::time::timeout(Duration::from_secs(3), greeting).await.ok()?
}

/// The member `version` of the broker's properties: a short string, the type `S`, a length of four bytes, a text.
fn version_in(frame: &[u8]) -> Option<String> {
    let name = b"\x07versionS";
    let at = frame.windows(name.len()).position(|window| window == name)? + name.len();
    let (length, text) = frame.get(at..)?.split_first_chunk::<4>()?;
    let text = text.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    String::from_utf8(text.to_vec()).ok().filter(|text| text.len() <= 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_a_greeting_and_in_nothing_else() {
        let frame =
            b"\x00\x0a\x00\x0a\x00\x09\x00\x00\x00\x20\x07versionS\x00\x00\x00\x063.12.1\x04moreS\x00\x00\x00\x01x";
        assert_eq!(version_in(frame).as_deref(), Some("3.12.1"));
        assert_eq!(version_in(b"\x07versionS\x00\x00\x00\x99short"), None);
        assert_eq!(version_in(b"HTTP/1.1 400 Bad Request"), None);
    }
}
