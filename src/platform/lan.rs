//! The addresses by which phones of the shop's network reach this PC.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// IPv4 addresses of private networks, the one that leads out of the PC first. None where there is no network.
pub fn lan_addresses() -> Vec<Ipv4Addr> {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let all = all.iter().filter(|interface| !interface.is_loopback()).map(if_addrs::Interface::ip);
    ordered(all, way_out())
}

fn ordered(all: impl Iterator<Item = IpAddr>, way_out: Option<Ipv4Addr>) -> Vec<Ipv4Addr> {
    let mut found: Vec<Ipv4Addr> = all
        .filter_map(|address| match address {
            IpAddr::V4(address) if address.is_private() => Some(address),
            _ => None,
        })
        .collect();
    found.sort_unstable_by_key(|address| (Some(*address) != way_out, *address));
    found.dedup();
    found
}

/// The address that this PC would call others from. Nothing is sent for it.
fn way_out() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address of a documentation network: nobody's.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shops_own_networks_count_and_the_one_that_leads_out_is_first() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let all =
            ["fe80::1", "172.17.0.1", "192.168.1.5", "8.8.8.8", "169.254.3.4", "10.0.0.2", "192.168.1.5"];
        let found = ordered(all.iter().map(|text| address(text)), Some("192.168.1.5".parse().unwrap()));
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["192.168.1.5", "10.0.0.2", "172.17.0.1"]);
    }
}
