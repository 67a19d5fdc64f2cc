#ifndef MUSTER_COPENSSL_SHIM_H
#define MUSTER_COPENSSL_SHIM_H

// The ENGINE interface is deprecated in OpenSSL 3.0, whose Debian 12 build has no provider for PKCS#11 yet.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

// What Swift cannot import: function-like macros, and stacks, whose functions are macros or inlines of casts.

static inline void muster_openssl_free(void *pointer) { OPENSSL_free(pointer); }

/// The content of a memory BIO; the bytes are the BIO's. The count is at most 0 if there are none.
static inline long muster_bio_bytes(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }

static inline EVP_PKEY *muster_rsa_generate(size_t bits) { return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits); }
static inline EVP_PKEY *muster_ec_generate(const char *curve) { return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve); }
static inline EVP_PKEY *muster_ed25519_generate(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); }

static inline STACK_OF(X509) *muster_x509_stack_new(void) { return sk_X509_new_null(); }
/// Pushes a certificate and takes a reference of its own; 1 on success.
static inline int muster_x509_stack_add(STACK_OF(X509) *stack, X509 *certificate)
{
    if (X509_up_ref(certificate) != 1) return 0;
    if (sk_X509_push(stack, certificate) > 0) return 1;
    X509_free(certificate);
    return 0;
}
static inline int muster_x509_stack_count(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }
static inline X509 *muster_x509_stack_at(const STACK_OF(X509) *stack, int index) { return sk_X509_value(stack, index); }
/// Frees the stack and a reference to each certificate in it.
static inline void muster_x509_stack_free(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }
/// Frees the stack alone.
static inline void muster_x509_stack_free_shallow(STACK_OF(X509) *stack) { sk_X509_free(stack); }

static inline int muster_cms_signer_count(const STACK_OF(CMS_SignerInfo) *stack) { return sk_CMS_SignerInfo_num(stack); }
static inline CMS_SignerInfo *muster_cms_signer_at(const STACK_OF(CMS_SignerInfo) *stack, int index)
{
    return sk_CMS_SignerInfo_value(stack, index);
}

#endif
