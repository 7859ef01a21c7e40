//! The resolver of the callbacks' HTTP client: the addresses it answers are those that are dialled, so
//! a name that is public when it is looked at and private when it is called gains nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use shared::callback_target::check_addr;
use shared::settings::Allowed;

/// Resolves as the system does and refuses names that lead anywhere callbacks may not go.
#[derive(Clone, Debug)]
pub(super) struct GuardedResolver {
    pub(super) allowed: Arc<[Allowed]>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            // Port 0: the client puts the URL's in its place.
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One address that may not be reached is enough to refuse the name: which of them would be
            // dialled is not ours to choose.
            for address in &found {
                check_addr(address.ip(), name.as_str(), &allowed)?;
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
