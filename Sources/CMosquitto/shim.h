#ifndef MUSTER_CMOSQUITTO_SHIM_H
#define MUSTER_CMOSQUITTO_SHIM_H
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/prctl.h>

// Names the calling thread for the kernel, which Swift cannot call: prctl is variadic.
static inline void muster_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// An encrypted key is refused; without this OpenSSL would ask for its password on the terminal.
static inline int muster_no_password(char *buffer, int size, int writing, void *user) {
    (void)buffer, (void)size, (void)writing, (void)user;
    return -1;
}

static inline X509 *muster_next_certificate(BIO *pem) {
    X509 *certificate = PEM_read_bio_X509(pem, NULL, muster_no_password, NULL);
    if (!certificate) ERR_clear_error(); // The end of the text is an error here.
    return certificate;
}

// A TLS client context from PEM in memory: TLS 1.2 or later, the peer and its name verified (libmosquitto 2.0.11
// verifies neither when it is given a context). NULL on failure, with `what` telling which part was not usable.
static inline SSL_CTX *muster_tls_context(
    const char *host,
    const void *anchors, int anchors_length,
    const void *chain, int chain_length,
    const void *key, int key_length,
    const char **what
) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    BIO *anchors_pem = BIO_new_mem_buf(anchors, anchors_length);
    BIO *chain_pem = BIO_new_mem_buf(chain, chain_length);
    BIO *key_pem = BIO_new_mem_buf(key, key_length);
    EVP_PKEY *private_key = NULL;
    X509 *certificate = NULL;
    int count = 0;
    ERR_clear_error();
    *what = "memory";
    if (!context || !anchors_pem || !chain_pem || !key_pem) goto failed;

    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);

    *what = "the broker's host name";
    X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (!X509_VERIFY_PARAM_set1_ip_asc(rules, host) && !X509_VERIFY_PARAM_set1_host(rules, host, 0)) goto failed;
    ERR_clear_error();

    *what = "the broker's CA certificates";
    while ((certificate = muster_next_certificate(anchors_pem))) {
        int added = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
        X509_free(certificate);
        if (!added) goto failed;
        count++;
    }
    if (count == 0) goto failed;

    *what = "the client's certificate";
    certificate = muster_next_certificate(chain_pem);
    if (!certificate) goto failed;
    int used = SSL_CTX_use_certificate(context, certificate);
    X509_free(certificate);
    if (used != 1) goto failed;
    while ((certificate = muster_next_certificate(chain_pem))) {
        if (SSL_CTX_add0_chain_cert(context, certificate) != 1) {
            X509_free(certificate);
            goto failed;
        }
    }

    *what = "the client's private key";
    private_key = PEM_read_bio_PrivateKey(key_pem, NULL, muster_no_password, NULL);
    if (!private_key || SSL_CTX_use_PrivateKey(context, private_key) != 1) goto failed;
    EVP_PKEY_free(private_key);
    BIO_free(anchors_pem);
    BIO_free(chain_pem);
    BIO_free(key_pem);
    *what = NULL;
    return context;

failed:
    ERR_clear_error();
    EVP_PKEY_free(private_key);
    BIO_free(anchors_pem);
    BIO_free(chain_pem);
    BIO_free(key_pem);
    SSL_CTX_free(context);
    return NULL;
}

// Bytes of a decrypted record that poll(2) does not see.
static inline int muster_pending(struct mosquitto *client) {
    SSL *connection = (SSL *)mosquitto_ssl_get(client);
    return connection ? SSL_pending(connection) : 0;
}
#endif
