// TLS 1.3 between nodes, authenticated by node keys alone: each node makes a self-signed Ed25519
// certificate from its key at start, in memory. No CA, no host name and no date is ever looked at,
// so a wrong clock breaks nothing. The TLS handshake proves that the peer holds the private key of
// its certificate; the hello that follows decides whether that key belongs here (handshake.hpp).
// No session tickets, no resumption, no renegotiation. The context is for one thread.
#pragma once

#include <memory>
#include <string>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"
#include "crypto/keys.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace quorate::node {

struct FreeTlsContext {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, FreeTlsContext>;

// For both directions. Error io with OpenSSL's words.
Result<TlsContext> make_tls_context(const crypto::NodeKey& key, const std::string& node_name);

// The key that the peer of a finished handshake has proved to hold. Error bad_signature when its
// certificate has no Ed25519 key.
Result<PublicKey> peer_node_key(ssl_st* tls);

}  // namespace quorate::node
