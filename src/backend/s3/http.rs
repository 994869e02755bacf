//! The HTTP client: TLS on ring, the certificates and proxies of the configuration.

use std::fs;
use std::time::Duration;

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use base64::Engine as _;

use super::config::{Connection, Proxies};
use crate::backend::BackendError;

/// How long a connection may take to stand.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Hosts that no proxy can reach for us.
const NEVER_PROXIED: &str = "localhost,127.0.0.1,::1";

fn refuse(reason: String) -> BackendError {
    BackendError::Configuration {
        backend: "s3",
        reason,
    }
}

/// Returns the client; all services of a connection share its pool.
pub(super) fn client(connection: &Connection) -> Result<SharedHttpClient, BackendError> {
    let is_plain = |url: &Option<String>| url.as_deref().is_some_and(|url| url.starts_with("http://"));
    let endpoints = &connection.endpoints;
    let plain = is_plain(&endpoints.s3);
    let all_plain = plain && is_plain(&endpoints.dynamodb) && is_plain(&endpoints.sts);
    if connection.insecure && !plain {
        return Err(refuse(
            "`insecure` is not supported: certificates are always verified; give `custom_ca_bundle` for one that the system does not know".to_owned(),
        ));
    }
    let trusted = match &connection.ca_bundle {
        // As for Terraform, the bundle takes the place of the system's certificates.
        Some(path) => TrustStore::empty().with_pem_certificate(bundle(path)?),
        // Reading the system's certificates takes longer than a request.
        None if all_plain => TrustStore::empty(),
        None => TrustStore::default(),
    };
    let tls = TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .map_err(|error| refuse(format!("TLS cannot be set up: {error}")))?;
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_WITHIN)
        .build();
    let mut connector = Connector::builder().connector_settings(settings);
    if let Some(proxy) = proxy(&connection.proxies, plain)? {
        connector = connector.proxy_config(proxy);
    }
    let connector = connector
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build();
    let connector = SharedHttpConnector::new(connector);
    Ok(http_client_fn(move |_, _| connector.clone()))
}

/// Reads a bundle of certificates; the TLS library takes a broken one badly, so it is looked at here.
fn bundle(path: &str) -> Result<Vec<u8>, BackendError> {
    let text = fs::read_to_string(path)
        .map_err(|error| refuse(format!("`custom_ca_bundle` {path} cannot be read: {error}")))?;
    let mut found = 0;
    for block in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let body: String = block
            .split("-----END CERTIFICATE-----")
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let der = base64::engine::general_purpose::STANDARD.decode(body);
        if !der.is_ok_and(|der| der.first() == Some(&0x30)) {
            return Err(refuse(format!(
                "`custom_ca_bundle` {path} holds a certificate that is none"
            )));
        }
        found += 1;
    }
    if found == 0 {
        return Err(refuse(format!("`custom_ca_bundle` {path} holds no certificate")));
    }
    Ok(text.into_bytes())
}

/// Returns the proxy for endpoints of this kind.
fn proxy(proxies: &Proxies, plain: bool) -> Result<Option<ProxyConfig>, BackendError> {
    let (name, url) = if plain {
        ("http_proxy", &proxies.http)
    } else {
        ("https_proxy", &proxies.https)
    };
    let Some(url) = url else { return Ok(None) };
    let made = if plain {
        ProxyConfig::http(url.reveal())
    } else {
        ProxyConfig::https(url.reveal())
    };
    // The URL may hold a password: it is not shown.
    let made = made.map_err(|_| refuse(format!("`{name}` is not a URL")))?;
    let direct = match &proxies.none_for {
        Some(hosts) => format!("{hosts},{NEVER_PROXIED}"),
        None => NEVER_PROXIED.to_owned(),
    };
    Ok(Some(made.no_proxy(direct)))
}
