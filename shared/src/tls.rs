//! The one provider of cryptography for TLS: rustls with `ring`.

/// Makes `ring` the provider of this process. Every binary calls it first thing in `main`, and every
/// maker of an HTTP client before it builds one; repeating it does nothing.
pub fn install() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Fails only where another provider was installed before, and then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_may_be_installed_twice() {
        super::install();
        super::install();
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }
}
