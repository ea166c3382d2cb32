#include "node/net/tls.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace quorate::node {

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using CertificatePtr = std::unique_ptr<X509, Free>;

tl::unexpected<Error> openssl_error(std::string_view what) {
  char text[256] = "no further detail";
  const unsigned long code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return fail(Errc::io, std::string(what) + ": " + text);
}

Result<CertificatePtr> self_signed(EVP_PKEY* key, const std::string& name) {
  CertificatePtr certificate(X509_new());
  if (!certificate) return openssl_error("cannot make a certificate");
  X509* x509 = certificate.get();
  X509_NAME* subject = X509_get_subject_name(x509);
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  // Dates are never checked; these say "always".
  const bool made = X509_set_version(x509, 2) == 1 &&
                    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
                    ASN1_TIME_set_string(X509_getm_notBefore(x509), "19700101000000Z") == 1 &&
                    ASN1_TIME_set_string(X509_getm_notAfter(x509), "99991231235959Z") == 1 &&
                    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
                    X509_set_issuer_name(x509, subject) == 1 && X509_set_pubkey(x509, key) == 1 &&
                    X509_sign(x509, key, nullptr) > 0;
  if (!made) return openssl_error("cannot make a certificate");
  return certificate;
}

// Takes the place of chain building: no CA, no dates. Any Ed25519 certificate passes here, because
// a stranger is to be told why it is refused, which takes a finished handshake.
int accept_ed25519(X509_STORE_CTX* store, void*) {
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  const EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  const bool accepted = key != nullptr && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519;
  X509_STORE_CTX_set_error(store, accepted ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return accepted ? 1 : 0;
}

Result<void> restrict_to_our_profile(SSL_CTX* context) {
  const bool set = SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
                   SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
                   SSL_CTX_set1_sigalgs_list(context, "ed25519") == 1 &&
                   SSL_CTX_set_num_tickets(context, 0) == 1;
  if (!set) return openssl_error("cannot restrict TLS to version 1.3 with Ed25519");
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, accept_ed25519, nullptr);
  return {};
}

}  // namespace

void FreeTlsContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<TlsContext> make_tls_context(const crypto::NodeKey& key, const std::string& node_name) {
  const ByteView seed = key.expose_seed();
  const KeyPtr private_key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  if (!private_key) return openssl_error("cannot use the node key for TLS");
  QUORATE_TRY(const CertificatePtr certificate, self_signed(private_key.get(), node_name));
  TlsContext context(SSL_CTX_new(TLS_method()));
  if (!context) return openssl_error("cannot make a TLS context");
  QUORATE_CHECK(restrict_to_our_profile(context.get()));
  if (SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), private_key.get()) != 1) {
    return openssl_error("cannot use the node key for TLS");
  }
  return context;
}

Result<PublicKey> peer_node_key(ssl_st* tls) {
  const CertificatePtr certificate(SSL_get1_peer_certificate(tls));
  const EVP_PKEY* key = certificate ? X509_get0_pubkey(certificate.get()) : nullptr;
  PublicKey out;
  std::size_t size = PublicKey::kSize;
  if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key, out.data(), &size) != 1 || size != PublicKey::kSize) {
    return fail(Errc::bad_signature, "the peer's TLS certificate has no Ed25519 key");
  }
  return out;
}

}  // namespace quorate::node
