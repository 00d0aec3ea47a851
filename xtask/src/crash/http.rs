//! A small blocking HTTP/1.1 client: enough to ask our own servers, and nothing between us and
//! the wire that might try again behind our back.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// No answer of ours takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A keep-alive connection.
pub struct Connection {
    stream: TcpStream,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// Asks and waits for the whole answer. After an error nobody knows whether it was heard.
    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Answer> {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        self.stream.write_all(request.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut heard = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = self.stream.read(&mut buffer)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            heard.extend_from_slice(&buffer[..read]);
            if let Some(answer) = parse(&heard)? {
                return Ok(answer);
            }
        }
    }
}

fn parse(heard: &[u8]) -> io::Result<Option<Answer>> {
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "a strange answer");
    let Some(head) = heard.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&heard[..head]).map_err(|_| strange())?;
    let status = text
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .ok_or_else(strange)?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let length = if status == 204 {
        0
    } else {
        length.ok_or_else(strange)?
    };
    let Some(body) = heard.get(head + 4..head + 4 + length) else {
        return Ok(None);
    };
    let body = String::from_utf8(body.to_vec()).map_err(|_| strange())?;
    Ok(Some(Answer { status, body }))
}
