/* certs.c - see certs.h. */
#include "lib/certs.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 512, DAY_S = 86400 };

struct pair {
	EVP_PKEY *key;
	X509 *cert;
};

static void
must(bool fine, const char *what)
{
	const char *why;

	if (fine)
		return;
	why = ERR_reason_error_string(ERR_get_error());
	ck_abort_msg("certs: %s: %s", what, why != NULL ? why : strerror(errno));
}

static void
release(struct pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
}

/* --- files ----------------------------------------------------------------------------------- */

static FILE *
open_file(const char *folder, const char *name, const char *end, int flags)
{
	char path[PATH_BYTES];
	int fd;

	snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
	fd = open(path, flags | O_CLOEXEC, 0600);
	return fd < 0 ? NULL : fdopen(fd, flags == O_RDONLY ? "r" : "w");
}

static void
write_pair(const struct pair *p, const char *folder, const char *name)
{
	FILE *cert = open_file(folder, name, ".pem", O_WRONLY | O_CREAT | O_TRUNC);
	FILE *key = open_file(folder, name, ".key", O_WRONLY | O_CREAT | O_TRUNC);

	must(cert != NULL && key != NULL, folder);
	must(PEM_write_X509(cert, p->cert) == 1, name);
	must(PEM_write_PrivateKey(key, p->key, NULL, NULL, 0, NULL, NULL) == 1, name);
	must(fclose(cert) == 0 && fclose(key) == 0, name);
}

/* Returns whether the files are there. */
static bool
read_pair(struct pair *p, const char *folder, const char *name)
{
	FILE *cert = open_file(folder, name, ".pem", O_RDONLY);
	FILE *key = open_file(folder, name, ".key", O_RDONLY);
	bool there = cert != NULL && key != NULL;

	if (there) {
		p->cert = PEM_read_X509(cert, NULL, NULL, NULL);
		p->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
		must(p->cert != NULL && p->key != NULL, name);
	}
	if (cert != NULL)
		fclose(cert);
	if (key != NULL)
		fclose(key);
	return there;
}

/* --- certificates ---------------------------------------------------------------------------- */

static void
extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	must(ext != NULL && X509_add_ext(cert, ext, -1) == 1, value);
	X509_EXTENSION_free(ext);
}

/* A key and a certificate of that name, valid for `days`, neither extended nor signed yet. */
static void
begin(struct pair *p, const char *name, int days)
{
	long end_s = (long)days * DAY_S;
	uint64_t serial;
	X509_NAME *subject;

	p->key = EVP_EC_gen("P-256");
	p->cert = X509_new();
	must(p->key != NULL && p->cert != NULL, "key");
	must(RAND_bytes((unsigned char *)&serial, sizeof serial) == 1, "serial");
	must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(p->cert), serial >> 1) == 1, "serial");
	must(X509_set_version(p->cert, X509_VERSION_3) == 1, "version");
	must(X509_set_pubkey(p->cert, p->key) == 1, "key");
	X509_gmtime_adj(X509_getm_notBefore(p->cert), (end_s < 0 ? end_s : 0) - DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(p->cert), end_s);
	subject = X509_get_subject_name(p->cert);
	must(X509_NAME_add_entry_by_txt(
		 subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) == 1,
	    name);
}

static void
sign(struct pair *p, const struct pair *by)
{
	must(X509_set_issuer_name(p->cert, X509_get_subject_name(by->cert)) == 1, "issuer");
	must(X509_sign(p->cert, by->key, EVP_sha256()) > 0, "signature");
}

static void
make_ca(struct pair *ca, const char *folder)
{
	begin(ca, "xiaotu test CA", 1);
	extend(ca->cert, NID_basic_constraints, "critical,CA:TRUE");
	extend(ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	sign(ca, ca);
	write_pair(ca, folder, "ca");
}

static void
begin_server(struct pair *p, const char *address, int days)
{
	unsigned char number[16];
	bool is_ip =
	    inet_pton(AF_INET, address, number) == 1 || inet_pton(AF_INET6, address, number) == 1;
	char names[PATH_BYTES];

	snprintf(names, sizeof names, "%s:%s", is_ip ? "IP" : "DNS", address);
	begin(p, address, days);
	extend(p->cert, NID_subject_alt_name, names);
	extend(p->cert, NID_ext_key_usage, "serverAuth");
}

static void
sign_by_ca(struct pair *p, const char *folder, const char *name)
{
	struct pair ca = { .key = NULL };

	if (!read_pair(&ca, folder, "ca"))
		make_ca(&ca, folder);
	sign(p, &ca);
	write_pair(p, folder, name);
	release(&ca);
}

void
certs_make(const char *folder, const char *name, const char *address, int days)
{
	struct pair p = { .key = NULL };

	begin_server(&p, address, days);
	sign_by_ca(&p, folder, name);
	release(&p);
}

void
certs_make_client(const char *folder, const char *name)
{
	struct pair p = { .key = NULL };

	begin(&p, name, 1);
	extend(p.cert, NID_ext_key_usage, "clientAuth");
	sign_by_ca(&p, folder, name);
	release(&p);
}

void
certs_make_self_signed(const char *folder, const char *name, const char *address)
{
	struct pair p = { .key = NULL };

	begin_server(&p, address, 1);
	sign(&p, &p);
	write_pair(&p, folder, name);
	release(&p);
}
