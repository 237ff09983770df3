//! The certificate and the key with which the server speaks TLS.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Problems;

/// Reads both files; they are read once, so a renewed certificate needs a restart.
pub(super) fn read(
    certificate: Option<&Path>,
    key: Option<&Path>,
) -> Result<Option<ServerConfig>, Problems> {
    let (certificate, key) = match (certificate, key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => {
            return Err(alone("--tls-certificate", "--tls-key", "GAZETTEER_TLS_KEY"));
        }
        (None, Some(_)) => {
            return Err(alone(
                "--tls-key",
                "--tls-certificate",
                "GAZETTEER_TLS_CERTIFICATE",
            ));
        }
    };
    let mut problems = Problems::default();
    let chain = problems.take(certificates_in(certificate));
    let private = problems.take(key_in(key));
    let (Some(chain), Some(private)) = (chain, private) else {
        return problems.unless_any(None);
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let settings = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, private)
        });
    settings.map(Some).map_err(|cause| {
        Problems::from(format!(
            "The certificate “{}” and the key “{}” do not make a pair ({cause}). Name the files that were issued \
             together.",
            certificate.display(),
            key.display()
        ))
    })
}

fn alone(given: &str, missing: &str, variable: &str) -> Problems {
    Problems::from(format!(
        "{given} is given without {missing}. Name both files ({missing} or {variable}), or neither."
    ))
}

fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problems> {
    let chain =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(unread("certificate", path, "there is none in it")),
        Err(cause) => Err(unread("certificate", path, &cause.to_string())),
    }
}

fn key_in(path: &Path) -> Result<PrivateKeyDer<'static>, Problems> {
    PrivateKeyDer::from_pem_file(path).map_err(|cause| unread("key", path, &cause.to_string()))
}

fn unread(what: &str, path: &Path, why: &str) -> Problems {
    Problems::from(format!(
        "The TLS {what} “{}” could not be read ({why}). Name a PEM file that this user may read.",
        path.display()
    ))
}
