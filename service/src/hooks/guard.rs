//! Keeps webhooks out of networks that are not the internet (server-side request forgery).
//!
//! An endpoint's owner chooses the URL, so the URL must not reach what only we can reach. The
//! text is checked when the endpoint is made, and every address that a name resolves to is checked
//! again at every connection: the connection is made to exactly the addresses that were checked,
//! so a name that changes its mind in between gains nothing.
//!
//! `allow_private` lets private and loopback addresses, and plain `http`, through: for a laptop
//! and for tests. Link-local addresses, where clouds keep their metadata services, stay refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::WebhooksConfig;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Characters of an endpoint's URL, as most servers and proxies take them.
pub const URL_MAX: usize = 2048;

/// Which addresses may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Whether private and loopback addresses, and plain `http`, are let through.
    pub allow_private: bool,
}

/// Why a URL is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not an absolute URL with a host, or too long.
    #[error("expected an absolute URL of at most {URL_MAX} characters")]
    Malformed,
    /// Another scheme.
    #[error("expected a URL that begins with https://")]
    Scheme,
    /// Credentials in the URL would end up in records and logs.
    #[error("a URL with a user name or password is not taken; verify the signature instead")]
    Credentials,
    /// The address is not one of the public internet.
    #[error("the address is not on the public internet")]
    Address,
}

impl Guard {
    /// As the operator set it.
    #[must_use]
    pub const fn of(config: &WebhooksConfig) -> Self {
        Self {
            allow_private: config.allow_private,
        }
    }

    /// Checks a URL as it is written. A host that is an address, in whatever notation, is
    /// checked here; a name is checked when it is resolved.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn check(self, url: &str) -> Result<Url, Refused> {
        if url.len() > URL_MAX {
            return Err(Refused::Malformed);
        }
        let url = Url::parse(url).map_err(|_| Refused::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            _ => return Err(Refused::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        // The parser has turned `0x7f.1`, `2130706433` and their like into addresses.
        let host = url.host_str().ok_or(Refused::Malformed)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(address) if !self.lets_through(address) => Err(Refused::Address),
            Ok(_) => Ok(url),
            Err(_) if is_local_name(bare) && !self.allow_private => Err(Refused::Address),
            Err(_) => Ok(url),
        }
    }

    /// Whether an address may be connected to.
    #[must_use]
    pub fn lets_through(self, address: IpAddr) -> bool {
        match reach(address) {
            Reach::Public => true,
            Reach::Private => self.allow_private,
            Reach::Never => false,
        }
    }
}

/// `localhost` and its kin never name a public host (RFC 6761, RFC 6762, RFC 9476).
fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let last = host.rsplit('.').next().unwrap_or(host);
    matches!(last, "localhost" | "local" | "internal" | "alt")
}

/// From where an address can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Public,
    Private,
    /// Metadata services, multicast, and what is no host's address at all.
    Never,
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// The IANA IPv4 special-purpose registry (RFC 6890 and its updates), and one address that a
/// cloud keeps for itself outside of it.
fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [127, ..] | [10, ..] | [192, 168, ..] => Reach::Private,
        [172, second, ..] if second & 0xf0 == 16 => Reach::Private,
        // Shared address space (RFC 6598); a cloud's metadata service lives in it.
        [100, 100, 100, 200] => Reach::Never,
        [100, second, ..] if second & 0xc0 == 64 => Reach::Private,
        // Benchmarking (RFC 2544).
        [198, 18 | 19, ..] => Reach::Private,
        // "This network", link-local with the metadata services, and Azure's wire server.
        [0, ..] | [169, 254, ..] | [168, 63, 129, 16] => Reach::Never,
        // Protocol assignments, documentation, the former 6to4 relay.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] => {
            Reach::Never
        }
        // Multicast, reserved, broadcast.
        [224..=255, ..] => Reach::Never,
        _ => Reach::Public,
    }
}

/// The IANA IPv6 special-purpose registry. Public is only what lies in global unicast, `2000::/3`;
/// forms that carry an IPv4 address are judged by that address.
fn reach_v6(address: Ipv6Addr) -> Reach {
    let segments = address.segments();
    if let Some(inner) = inner_v4(segments) {
        return reach_v4(inner);
    }
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // AWS answers for its metadata service here, inside the private range.
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254] => Reach::Never,
        [first, ..] if first & 0xfe00 == 0xfc00 => Reach::Private,
        // Protocol assignments with Teredo (RFC 4380), documentation, 6to4 (RFC 3056).
        [0x2001, second, ..] if second < 0x0200 => Reach::Never,
        [0x2001, 0x0db8, ..] | [0x2002, ..] => Reach::Never,
        [0x3fff, second, ..] if second < 0x1000 => Reach::Never,
        [first, ..] if first & 0xe000 == 0x2000 => Reach::Public,
        _ => Reach::Never,
    }
}

/// The IPv4 address in an IPv4-mapped (RFC 4291) or NAT64 (RFC 6052) address.
const fn inner_v4(segments: [u16; 8]) -> Option<Ipv4Addr> {
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

/// Every address of a name was refused.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the name resolves to no address on the public internet")]
pub struct NameRefused;

impl Resolve for Guard {
    /// Resolves by the system and keeps only what may be reached. The client connects to nothing
    /// else.
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(guard.keep(found)?)
        })
    }
}

impl Guard {
    /// One refused address refuses the name: no honest name mixes the two.
    fn keep(self, found: impl Iterator<Item = SocketAddr>) -> Result<Addrs, NameRefused> {
        let found: Vec<SocketAddr> = found.collect();
        let all = found.iter().all(|address| self.lets_through(address.ip()));
        if found.is_empty() || !all {
            return Err(NameRefused);
        }
        Ok(Box::new(found.into_iter()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Guard = Guard {
        allow_private: true,
    };
    const SHUT: Guard = Guard {
        allow_private: false,
    };

    #[test]
    fn private_networks_are_refused_in_every_notation() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "017700000001",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "printer.local",
            "db.internal",
            "localhost.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::10.0.0.1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "%31%32%37.0.0.1",
            "127。0。0。1",
            "①②⑦.0.0.1",
        ] {
            let url = format!("https://{host}/hook");
            assert_eq!(SHUT.check(&url), Err(Refused::Address), "{url}");
            assert!(OPEN.check(&url).is_ok(), "{url}");
        }
    }

    #[test]
    fn metadata_services_and_no_host_s_addresses_are_refused_always() {
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::169.254.169.254]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "168.63.129.16",
            "100.100.100.200",
            "0.0.0.0",
            "0",
            "[::]",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[ff02::1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "192.0.0.1",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "[fec0::1]",
            "[100::1]",
            "[::127.0.0.1]",
            "[64:ff9b:1::1]",
            "[3fff::1]",
            "[5f00::1]",
        ] {
            let url = format!("https://{host}/hook");
            assert_eq!(SHUT.check(&url), Err(Refused::Address), "{url}");
            assert_eq!(OPEN.check(&url), Err(Refused::Address), "{url}");
        }
    }

    #[test]
    fn the_internet_is_reached() {
        for host in [
            "example.com",
            "8.8.8.8",
            "1.1.1.1:8443",
            "[2606:4700::1111]",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.169.0.1",
            "198.20.0.1",
            "223.1.2.3",
            "[::ffff:8.8.8.8]",
            "notlocalhost",
            "bücher.example",
        ] {
            let url = format!("https://{host}/hook?a=b");
            assert!(SHUT.check(&url).is_ok(), "{url}");
        }
    }

    #[test]
    fn other_urls_are_refused_for_what_they_are() {
        for (url, why) in [
            ("http://example.com/", Refused::Scheme),
            ("ftp://example.com/", Refused::Scheme),
            ("file:///etc/passwd", Refused::Scheme),
            ("gopher://127.0.0.1:6379/_x", Refused::Scheme),
            ("example.com/hook", Refused::Malformed),
            ("", Refused::Malformed),
            ("https://", Refused::Malformed),
            ("https://user:secret@example.com/", Refused::Credentials),
            ("https://user@example.com/", Refused::Credentials),
        ] {
            assert_eq!(SHUT.check(url), Err(why), "{url}");
        }
        let long = format!("https://example.com/{}", "a".repeat(URL_MAX));
        assert_eq!(SHUT.check(&long), Err(Refused::Malformed));
        assert!(OPEN.check("http://example.com/").is_ok());
    }

    #[test]
    fn a_name_is_refused_when_any_of_its_addresses_is() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts
                .iter()
                .map(|text| SocketAddr::new(text.parse().unwrap(), 0))
                .collect()
        };
        let kept = |guard: Guard, texts: &[&str]| {
            guard
                .keep(addresses(texts).into_iter())
                .map(Iterator::count)
        };
        assert!(matches!(kept(SHUT, &["8.8.8.8", "2606:4700::1111"]), Ok(2)));
        assert!(kept(SHUT, &["8.8.8.8", "10.0.0.1"]).is_err());
        assert!(kept(SHUT, &["::1"]).is_err());
        assert!(kept(SHUT, &[]).is_err());
        assert!(matches!(kept(OPEN, &["10.0.0.1"]), Ok(1)));
        assert!(kept(OPEN, &["10.0.0.1", "169.254.169.254"]).is_err());
    }

    #[tokio::test]
    async fn a_resolved_name_goes_through_the_same_gate() {
        let name: Name = "localhost".parse().unwrap();
        assert!(SHUT.resolve(name).await.is_err());
        let name: Name = "localhost".parse().unwrap();
        assert!(OPEN.resolve(name).await.is_ok());
    }
}
