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
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

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

static inline int muster_crl_entry_count(X509_CRL *list)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
    return entries == NULL ? 0 : sk_X509_REVOKED_num(entries);
}
static inline X509_REVOKED *muster_crl_entry_at(X509_CRL *list, int index)
{
    return sk_X509_REVOKED_value(X509_CRL_get_REVOKED(list), index);
}
/// The entry's reason code; 0 if it has none, -1 if it cannot be read.
static inline long muster_crl_entry_reason(X509_REVOKED *entry)
{
    int found = -1;
    ASN1_ENUMERATED *reason = (ASN1_ENUMERATED *)X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &found, NULL);
    if (reason == NULL) return found == -1 ? 0 : -1;
    long code = ASN1_ENUMERATED_get(reason);
    ASN1_ENUMERATED_free(reason);
    return code;
}
/// The value of the list's extension that is one INTEGER; -1 if there is none, -2 if it cannot be read.
static inline int64_t muster_crl_integer(X509_CRL *list, int nid)
{
    int found = -1;
    ASN1_INTEGER *integer = (ASN1_INTEGER *)X509_CRL_get_ext_d2i(list, nid, &found, NULL);
    if (integer == NULL) return found == -1 ? -1 : -2;
    int64_t value = -2;
    if (ASN1_INTEGER_get_int64(&value, integer) != 1 || value < 0) value = -2;
    ASN1_INTEGER_free(integer);
    return value;
}
/// The list's issuingDistributionPoint, the caller's to free; `found` is -1 if there is none.
static inline ISSUING_DIST_POINT *muster_crl_place(X509_CRL *list, int *found)
{
    return (ISSUING_DIST_POINT *)X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, found, NULL);
}
static inline int muster_place_uri_count(const ISSUING_DIST_POINT *place)
{
    if (place->distpoint == NULL || place->distpoint->type != 0) return 0;
    return sk_GENERAL_NAME_num(place->distpoint->name.fullname);
}
/// The place's name at `index` if it is a URI, else NULL.
static inline const ASN1_STRING *muster_place_uri_at(const ISSUING_DIST_POINT *place, int index)
{
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(place->distpoint->name.fullname, index);
    return name->type == GEN_URI ? name->d.uniformResourceIdentifier : NULL;
}

static inline GENERAL_NAMES *muster_uris_new(void) { return sk_GENERAL_NAME_new_null(); }
static inline void muster_uris_free(GENERAL_NAMES *uris) { sk_GENERAL_NAME_pop_free(uris, GENERAL_NAME_free); }
/// Adds one URI; 1 on success.
static inline int muster_uris_add(GENERAL_NAMES *uris, const char *uri, int length)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    if (name == NULL || text == NULL || ASN1_STRING_set(text, uri, length) != 1) {
        GENERAL_NAME_free(name);
        ASN1_IA5STRING_free(text);
        return 0;
    }
    GENERAL_NAME_set0_value(name, GEN_URI, text);
    if (sk_GENERAL_NAME_push(uris, name) > 0) return 1;
    GENERAL_NAME_free(name);
    return 0;
}
/// A distribution point name of these URIs, which it takes; NULL if there is no memory.
static inline DIST_POINT_NAME *muster_uris_name(GENERAL_NAMES *uris)
{
    DIST_POINT_NAME *name = DIST_POINT_NAME_new();
    if (name == NULL) {
        muster_uris_free(uris);
        return NULL;
    }
    name->type = 0;
    name->name.fullname = uris;
    return name;
}
/// Sets a critical issuingDistributionPoint of these URIs, for certificates of end entities alone. Takes `uris`.
static inline int muster_crl_set_place(X509_CRL *list, GENERAL_NAMES *uris)
{
    DIST_POINT_NAME *name = muster_uris_name(uris);
    ISSUING_DIST_POINT *place = ISSUING_DIST_POINT_new();
    if (name == NULL || place == NULL) {
        DIST_POINT_NAME_free(name);
        ISSUING_DIST_POINT_free(place);
        return 0;
    }
    place->distpoint = name;
    place->onlyuser = 0xFF;
    int done = X509_CRL_add1_ext_i2d(list, NID_issuing_distribution_point, place, 1, X509V3_ADD_DEFAULT);
    ISSUING_DIST_POINT_free(place);
    return done;
}
/// Sets freshestCRL, one point of these URIs. Takes `uris`.
static inline int muster_crl_set_freshest(X509_CRL *list, GENERAL_NAMES *uris)
{
    DIST_POINT_NAME *name = muster_uris_name(uris);
    DIST_POINT *point = DIST_POINT_new();
    CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();
    if (name == NULL || point == NULL || points == NULL || sk_DIST_POINT_push(points, point) <= 0) {
        DIST_POINT_NAME_free(name);
        DIST_POINT_free(point);
        sk_DIST_POINT_free(points);
        return 0;
    }
    point->distpoint = name;
    int done = X509_CRL_add1_ext_i2d(list, NID_freshest_crl, points, 0, X509V3_ADD_DEFAULT);
    CRL_DIST_POINTS_free(points);
    return done;
}
/// The list's extensions as DER, which the caller frees; the count is at most 0 if there are none.
static inline int muster_crl_extensions(const X509_CRL *list, unsigned char **encoded)
{
    const STACK_OF(X509_EXTENSION) *extensions = X509_CRL_get0_extensions(list);
    return extensions == NULL ? 0 : i2d_X509_EXTENSIONS(extensions, encoded);
}
/// Sets authorityKeyIdentifier to the issuer's subject key identifier.
static inline int muster_crl_set_authority(X509_CRL *list, const X509 *issuer)
{
    const ASN1_OCTET_STRING *identifier = X509_get0_subject_key_id((X509 *)issuer);
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    if (identifier == NULL || authority == NULL) {
        AUTHORITY_KEYID_free(authority);
        return 0;
    }
    authority->keyid = ASN1_OCTET_STRING_dup(identifier);
    int done = authority->keyid == NULL
                   ? 0
                   : X509_CRL_add1_ext_i2d(list, NID_authority_key_identifier, authority, 0, X509V3_ADD_DEFAULT);
    AUTHORITY_KEYID_free(authority);
    return done;
}

#endif
