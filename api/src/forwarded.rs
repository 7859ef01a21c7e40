//! Where a request came from. `Forwarded` (RFC 7239) and `X-Forwarded-For` are believed of the proxies in
//! `TRUSTED_PROXIES` only, and only as far as the chain is theirs: whoever stands before the last
//! trusted one is the caller.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

/// The caller's address, given the connection's.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let mut caller = peer;
    for hop in hops(headers).into_iter().rev() {
        // What cannot be read ends what can be believed.
        let Some(address) = hop else { break };
        caller = address;
        if !is_trusted(&address) {
            break;
        }
    }
    caller
}

/// The chain as the headers have it, the caller first.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let values = |name: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(|part| part.trim().to_owned()).collect::<Vec<_>>()
    };
    let forwarded = values("forwarded");
    if forwarded.is_empty() {
        return values("x-forwarded-for").iter().map(|hop| address(hop)).collect();
    }
    let of = |element: &String| {
        let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for")).find_map(|(_, value)| address(value))
    };
    forwarded.iter().map(of).collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `"[2001:db8::1]:80"`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None if text.matches(':').count() == 1 => text.split(':').next()?,
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, name: &'static str, value: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a value"));
        let trusted = ["10.0.0.0/8".parse().expect("a net")];
        client_address(peer.parse().expect("an address"), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(from("198.51.100.7", "x-forwarded-for", "192.0.2.1"), "198.51.100.7");
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_what_stands_before_a_stranger_is_not() {
        assert_eq!(from("10.0.0.1", "x-forwarded-for", "192.0.2.1"), "192.0.2.1");
        assert_eq!(from("10.0.0.1", "x-forwarded-for", "1.1.1.1, 192.0.2.1, 10.0.0.2"), "192.0.2.1");
        assert_eq!(from("10.0.0.1", "x-forwarded-for", "1.1.1.1, nonsense, 10.0.0.2"), "10.0.0.2");
    }

    #[test]
    fn the_standard_header_is_read_in_its_forms() {
        assert_eq!(from("10.0.0.1", "forwarded", "for=192.0.2.60;proto=http, for=10.0.0.9"), "192.0.2.60");
        assert_eq!(from("10.0.0.1", "forwarded", "For=\"[2001:db8::17]:4711\""), "2001:db8::17");
        assert_eq!(from("10.0.0.1", "x-forwarded-for", "192.0.2.1:5555"), "192.0.2.1");
    }
}
