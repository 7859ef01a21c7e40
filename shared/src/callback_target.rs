//! Where callbacks may go. Pure: [`check_url`] judges what can be seen at intake (scheme, port,
//! literal addresses), [`check_addr`] the address that is about to be dialled, so that a name that
//! changes its address between the two gains nothing. What `CALLBACK_ALLOW_HOSTS` lists is exempt.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::settings::Allowed;

/// Characters of a callback URL, at most.
pub const MAX_URL_CHARS: usize = 2048;

/// Why a callback may not go there. The texts are for the caller and hold nothing of the URL, whose
/// path or query may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefused {
    /// Not a URL, or one without a host.
    #[error("must be an absolute URL")]
    NotAUrl,
    /// Over [`MAX_URL_CHARS`].
    #[error("must have {MAX_URL_CHARS} characters at most")]
    TooLong,
    /// Neither HTTPS nor plain HTTP to a listed host.
    #[error("must begin with https://")]
    Scheme,
    /// `user:password@`.
    #[error("must hold no user and no password")]
    UserInfo,
    /// `#…`.
    #[error("must hold no fragment")]
    Fragment,
    /// A port of another service.
    #[error("has a port that callbacks may not use")]
    Port,
    /// Private, loopback, link-local or otherwise not public.
    #[error("leads to an address that is not public")]
    Address,
}

/// Judges a callback URL as it was submitted; answers it parsed.
///
/// # Errors
/// Why it is refused (contract, section 3).
pub fn check_url(text: &str, allowed: &[Allowed]) -> Result<Url, TargetRefused> {
    if text.chars().count() > MAX_URL_CHARS {
        return Err(TargetRefused::TooLong);
    }
    let url = Url::parse(text).map_err(|_| TargetRefused::NotAUrl)?;
    let host = url.host().ok_or(TargetRefused::Scheme)?;
    let listed = is_listed(&host, allowed);
    match url.scheme() {
        "https" => {}
        "http" if listed => {}
        _ => return Err(TargetRefused::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetRefused::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(TargetRefused::Fragment);
    }
    let port = url.port_or_known_default().ok_or(TargetRefused::Port)?;
    if port == 0 || !(listed || is_web_port(port)) {
        return Err(TargetRefused::Port);
    }
    if let (Some(addr), false) = (literal(&host), listed)
        && !is_public(addr)
    {
        return Err(TargetRefused::Address);
    }
    Ok(url)
}

/// Judges an address that `host` (a name or a literal, as the URL has it) led to.
///
/// # Errors
/// [`TargetRefused::Address`].
pub fn check_addr(addr: IpAddr, host: &str, allowed: &[Allowed]) -> Result<(), TargetRefused> {
    let listed = allowed.iter().any(|entry| match entry {
        Allowed::Host(name) => same_name(name, host),
        Allowed::Net(net) => net.contains(&addr.to_canonical()),
    });
    if listed || is_public(addr) { Ok(()) } else { Err(TargetRefused::Address) }
}

fn is_listed(host: &Host<&str>, allowed: &[Allowed]) -> bool {
    allowed.iter().any(|entry| match (entry, host) {
        (Allowed::Host(name), Host::Domain(domain)) => same_name(name, domain),
        (Allowed::Net(net), _) => literal(host).is_some_and(|addr| net.contains(&addr.to_canonical())),
        (Allowed::Host(_), _) => false,
    })
}

/// Names are equal in any case and with or without the root's dot.
fn same_name(one: &str, other: &str) -> bool {
    one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'))
}

fn literal(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Ipv4(addr) => Some((*addr).into()),
        Host::Ipv6(addr) => Some((*addr).into()),
        Host::Domain(_) => None,
    }
}

/// Ports above the system's own, without those that browsers refuse to speak HTTP to (the Fetch
/// standard's "bad ports") and those of widespread databases and brokers.
const NOT_WEB: &[u16] = &[
    1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 3306, 3389, 3659, 4045, 4190, 4369, 5060, 5061, 5432, 5671,
    5672, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092, 10080, 11211, 25672, 27017,
];

fn is_web_port(port: u16) -> bool {
    port == 443 || (port >= 1024 && !NOT_WEB.contains(&port))
}

/// Whether an address is one of the public Internet (IANA's special-purpose registries).
pub fn is_public(addr: IpAddr) -> bool {
    match addr.to_canonical() {
        IpAddr::V4(addr) => is_public_v4(addr),
        IpAddr::V6(addr) => is_public_v6(addr),
    }
}

fn is_public_v4(addr: Ipv4Addr) -> bool {
    let special = match addr.octets() {
        [0 | 10 | 127, ..] => true,
        [100, b, ..] => b & 0xc0 == 64,
        [169, 254, ..] | [192, 168, ..] => true,
        [172, b, ..] => b & 0xf0 == 16,
        // protocol assignments, documentation, 6to4 relays
        [192, 0, 0 | 2, _] | [192, 88, 99, _] => true,
        // benchmarks, documentation
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        // multicast, reserved, broadcast
        [224..=255, ..] => true,
        _ => false,
    };
    !special
}

fn is_public_v6(addr: Ipv6Addr) -> bool {
    match addr.segments() {
        // NAT64 (RFC 6052): the gateway dials the IPv4 address inside, so that one is judged. The
        // other forms that carry one (6to4, Teredo, IPv4-compatible) are obsolete and refused below.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // protocol assignments with Teredo and ORCHID, documentation, 6to4
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x2002, ..] => false,
        [0x3fff, second, ..] => second >= 0x1000,
        // everything else that is public lies in 2000::/3
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TargetRefused::*;

    fn allowed() -> Vec<Allowed> {
        vec![
            Allowed::Host("callbacks.bank.kz".into()),
            Allowed::Net("10.20.0.0/16".parse().expect("a subnet")),
            Allowed::Net("fd00:1::/32".parse().expect("a subnet")),
        ]
    }

    fn refused(url: &str) -> Option<TargetRefused> {
        check_url(url, &allowed()).err()
    }

    #[test]
    fn a_public_https_url_is_accepted() {
        for url in [
            "https://example.com/hook?token=x",
            "https://example.com:8443/hook",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "https://пример.kz/hook",
        ] {
            assert_eq!(refused(url), None, "{url}");
        }
    }

    #[test]
    fn what_is_not_https_without_decoration_is_refused() {
        for (url, why) in [
            ("", NotAUrl),
            ("/hook", NotAUrl),
            ("example.com", NotAUrl),
            ("https://", NotAUrl),
            ("http://example.com/", Scheme),
            ("ftp://example.com/", Scheme),
            ("file:///etc/passwd", Scheme),
            ("javascript:alert(1)", Scheme),
            ("https://user@example.com/", UserInfo),
            ("https://user:pass@example.com/", UserInfo),
            ("https://example.com/#x", Fragment),
            ("https://example.com:0/", Port),
            ("https://example.com:22/", Port),
            ("https://example.com:25/", Port),
            ("https://example.com:5432/", Port),
        ] {
            assert_eq!(refused(url), Some(why), "{url}");
        }
        assert_eq!(refused(&format!("https://example.com/{}", "x".repeat(MAX_URL_CHARS))), Some(TooLong));
    }

    #[test]
    fn literal_addresses_that_are_not_public_are_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b::169.254.169.254]",
            "[64:ff9b:1::808:808]",
            "[2002:7f00:1::]",
            "[2002:808:808::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[3fff:fff::1]",
            "[fc00::1]",
            "[fdff::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "[100::1]",
        ] {
            assert_eq!(refused(&format!("https://{host}/")), Some(Address), "{host}");
        }
        for host in ["100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "[2001:4860::8888]"] {
            assert_eq!(refused(&format!("https://{host}/")), None, "{host}");
        }
    }

    #[test]
    fn a_listed_host_may_be_private_plain_and_on_any_port() {
        for url in [
            "http://callbacks.bank.kz/",
            "http://CALLBACKS.bank.kz.:81/",
            "http://10.20.3.4:8080/",
            "https://[::ffff:10.20.3.4]/",
            "http://[fd00:1::5]/",
        ] {
            assert_eq!(refused(url), None, "{url}");
        }
        assert_eq!(refused("http://sub.callbacks.bank.kz/"), Some(Scheme));
        assert_eq!(refused("https://10.21.3.4/"), Some(Address));
        assert_eq!(refused("http://user@10.20.3.4/"), Some(UserInfo));
    }

    #[test]
    fn a_name_is_judged_by_the_address_that_is_dialled() {
        let check = |addr: &str, host| check_addr(addr.parse().expect("an address"), host, &allowed());
        assert_eq!(check("8.8.8.8", "example.com"), Ok(()));
        assert_eq!(check("127.0.0.1", "example.com"), Err(Address));
        assert_eq!(check("::ffff:169.254.169.254", "example.com"), Err(Address));
        assert_eq!(check("64:ff9b::8.8.8.8", "example.com"), Ok(()), "what DNS64 makes of a public name");
        assert_eq!(check("127.0.0.1", "callbacks.bank.kz"), Ok(()), "a listed name may resolve anywhere");
        assert_eq!(check("10.20.9.9", "example.com"), Ok(()), "a listed subnet may be reached by any name");
    }
}
