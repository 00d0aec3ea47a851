//! A lean HTTP/1.1 client for measuring: one connection, one request at a time, no allocation per
//! request. It must cost little, because it shares the machine with what it measures.
//!
//! Only what a server of payments answers is understood: a status line, a `content-length`, a
//! body. Anything else is an error, and counted as one.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// More than any answer of ours; a longer one is an error.
const RESPONSE_BYTES_MAX: usize = 256 * 1024;

/// A keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What was answered. Borrows the connection's buffer until the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

impl Connection {
    /// Connects, without Nagle's delay.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; 4096],
        })
    }

    /// Sends a whole request, head and body, and reads the whole answer.
    ///
    /// # Errors
    /// When the connection breaks or the answer is not understood; the connection is of no use
    /// then, and whether the request was carried out is unknown.
    pub async fn call(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                if filled >= RESPONSE_BYTES_MAX {
                    return Err(not_understood("the answer is too long"));
                }
                self.buffer.resize(filled * 2, 0);
            }
            let read = self.stream.read(&mut self.buffer[filled..]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            if let Some((status, body, end)) = parse(&self.buffer[..filled])? {
                if end != filled {
                    return Err(not_understood("more was answered than asked"));
                }
                let body = &self.buffer[body..end];
                return Ok(Answer { status, body });
            }
        }
    }
}

fn not_understood(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The status, where the body begins and where it ends; `None` while it is not all there.
fn parse(answer: &[u8]) -> io::Result<Option<(u16, usize, usize)>> {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let mut lines = answer[..head].split(|byte| *byte == b'\n');
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix(b"HTTP/1.1 ")?.get(..3))
        .and_then(number)
        .ok_or_else(|| not_understood("no HTTP/1.1 status line"))?;
    let length = lines
        .find_map(|line| {
            let (name, value) = line.split_at_checked("content-length:".len())?;
            name.eq_ignore_ascii_case(b"content-length:")
                .then(|| number(value.trim_ascii()))?
        })
        .ok_or_else(|| not_understood("no content-length"))?;
    let status = u16::try_from(status).map_err(|_| not_understood("no status"))?;
    let (body, end) = (head + 4, head + 4 + length);
    Ok((answer.len() >= end).then_some((status, body, end)))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nx: y\r\n\r\n{}";

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        for length in 0..ANSWER.len() {
            assert_eq!(parse(&ANSWER[..length]).unwrap(), None, "{length} bytes");
        }
        let (status, body, end) = parse(ANSWER).unwrap().unwrap();
        assert_eq!((status, &ANSWER[body..end]), (201, &b"{}"[..]));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for strange in [
            &b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            b"SSH-2.0\r\n\r\n",
        ] {
            assert!(parse(strange).is_err());
        }
    }
}
