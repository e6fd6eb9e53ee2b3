# apitoken: build, install and test with PGXS.  "make help" lists the targets.

EXTENSION = apitoken
MODULE_big = apitoken

# The control file is the only home of the version.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(EXTENSION).control)

OBJS = \
	src/guc.o \
	src/secret.o \
	src/token_text.o \
	src/digest.o \
	src/memo.o \
	src/pepper.o \
	src/scopes.o \
	src/scopes_gin.o \
	src/address.o \
	src/outcome.o \
	src/json.o \
	src/json_time.o \
	src/allowed_scopes.o \
	src/cursor.o \
	src/table.o \
	src/place.o \
	src/probe.o \
	src/ending.o \
	src/row.o \
	src/bucket.o \
	src/realm.o \
	src/expiry.o \
	src/keyring.o \
	src/token.o \
	src/spill.o \
	src/segment.o \
	src/duty.o \
	src/slot.o \
	src/slot_array.o \
	src/tally.o \
	src/summon.o \
	src/usage.o \
	src/guard.o \
	src/flush.o \
	src/current.o \
	src/rekey.o \
	src/actor.o \
	src/draft.o \
	src/image.o \
	src/event.o \
	src/canon.o \
	src/chain.o \
	src/seal.o \
	src/audit.o \
	src/subject.o \
	src/represent.o \
	src/statement.o \
	src/sort.o \
	src/search.o \
	src/search_index.o \
	src/page.o \
	src/verify.o \
	src/session.o \
	src/policy.o \
	src/history.o \
	src/idempotency.o \
	src/issue.o \
	src/import.o \
	src/change.o \
	src/rotation.o \
	src/modification.o \
	src/state.o \
	src/selection.o \
	src/removal.o \
	src/retention.o \
	src/reuse.o \
	src/query.o \
	src/result.o \
	src/changed.o \
	src/digest_sql.o \
	src/scopes_sql.o \
	src/token_sql.o \
	src/verify_sql.o \
	src/lifecycle_sql.o \
	src/change_sql.o \
	src/represent_sql.o \
	src/query_sql.o \
	src/session_sql.o \
	src/usage_sql.o \
	src/report_sql.o \
	src/seal_sql.o \
	src/service_sql.o \
	src/pepper_sql.o \
	src/worker.o \
	src/apitoken.o

# The install script is these files, one after the other.
SQL_PARTS = \
	src/sql/prologue.sql \
	src/sql/digest.sql \
	src/sql/scopes.sql \
	src/sql/realm.sql \
	src/sql/token.sql \
	src/sql/usage.sql \
	src/sql/event.sql \
	src/sql/idempotency.sql \
	src/sql/verify.sql \
	src/sql/lifecycle.sql \
	src/sql/seal.sql \
	src/sql/represent.sql \
	src/sql/query.sql \
	src/sql/view.sql \
	src/sql/report.sql \
	src/sql/service.sql \
	src/sql/session.sql \
	src/sql/pepper.sql

# The update script of the version before, likewise.
UPDATE_PARTS = \
	src/sql/update.sql \
	src/sql/session.sql \
	src/sql/pepper.sql

# pg_regress: sql/ and expected/, in this order, on a plain server.
REGRESS = \
	setup \
	version \
	digest \
	scopes \
	token_text \
	realm \
	issue \
	import \
	bad_input \
	verify \
	lifecycle \
	rotate \
	end_grace \
	update \
	revoke_self \
	revoke_all \
	delete \
	purge \
	policy \
	idempotency \
	history \
	realm_history \
	usage \
	verify_many \
	seal \
	check_events \
	purge_events \
	purge_usage \
	idle \
	policy_cache \
	place \
	session \
	confinement \
	require_token \
	lookup \
	tokens_view \
	token_scopes \
	expiring_tokens \
	policy_violations \
	events_view \
	tokens_granting \
	tokens_at \
	allowed_scopes \
	details \
	read \
	list \
	query \
	documents \
	cursor \
	bad_body \
	hostile \
	search \
	large \
	index_missing \
	varlena \
	arguments \
	comments \
	look_alikes \
	privileges \
	config_dump \
	pepper

# Isolation specs: test/specs and test/expected.
ISOLATION = \
	seal_race \
	import_race \
	import_public_id \
	import_lock_space \
	revoke_seen \
	reindex \
	issue_rolled_back \
	realm_disabled_seen \
	realm_delete_vs_issue \
	status_race \
	old_snapshot \
	total \
	old_snapshot_all \
	rotation_race \
	rotation_seen \
	update_race \
	limit_race \
	realm_race \
	idempotency_race \
	purge_race \
	purge_flush \
	notify \
	walk \
	flush_race \
	use_in_two_slots \
	max_idle_seen \
	revoke_self_race \
	confined_no_wait

# TAP tests, each with clusters of its own.
PROVE_TESTS = test/t/*.pl

# C programs test/unit/<name>.c that print TAP, linked with these objects.
UNIT = \
	known_answers \
	token_text_properties \
	scopes_properties \
	cursor_properties \
	wiping \
	endings
UNIT_OBJS = \
	build/unit/unit.o \
	build/unit/server.o \
	build/unit/token_text.o \
	build/unit/secret.o \
	build/unit/digest.o \
	build/unit/scopes.o \
	build/unit/scopes_gin.o \
	build/unit/cursor.o \
	build/unit/ending.o

# Fuzz targets test/fuzz/<name>.c, built by clang, linked with these objects.
FUZZ = \
	token_text \
	scopes \
	digest \
	search \
	allowed_scopes \
	cursor
FUZZ_OBJS = \
	build/fuzz/unit/server.o \
	build/fuzz/fuzz.o \
	build/fuzz/jsonb.o \
	build/fuzz/src/token_text.o \
	build/fuzz/src/digest.o \
	build/fuzz/src/digest_sql.o \
	build/fuzz/src/scopes.o \
	build/fuzz/src/scopes_sql.o \
	build/fuzz/src/scopes_gin.o \
	build/fuzz/src/json.o \
	build/fuzz/src/allowed_scopes.o \
	build/fuzz/src/statement.o \
	build/fuzz/src/search.o \
	build/fuzz/src/cursor.o

# Install scripts of versions that were released stay as they were.
DATA = src/sql/$(EXTENSION)--1.0.sql
FULL_SCRIPT = $(EXTENSION)--$(EXTVERSION).sql
UPDATE_SCRIPT = $(EXTENSION)--1.0--$(EXTVERSION).sql
DATA_built = $(FULL_SCRIPT) $(UPDATE_SCRIPT)
EXTRA_CLEAN = src/.built-with $(OBJS:.o=.d)
# Whatever the server's locale: the same order, the same characters.
REGRESS_OPTS = --inputdir=. --encoding=UTF8 --no-locale
ISOLATION_OPTS = --inputdir=test --encoding=UTF8 --no-locale --load-extension=$(EXTENSION)
TAP_TESTS = 1

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

help:
	@echo 'make                build the extension'
	@echo 'make install        install it into the server that pg_config names'
	@echo 'make installcheck   test what is installed, on a running server'
	@echo 'make demo           install what is missing, build, and show the extension at work'
	@echo '                    in a private cluster under build/, which stays up'
	@echo 'make demo-stop      stop that cluster'
	@echo 'make test           install what is missing, build, and run all tests'
	@echo '                    in private clusters'
	@echo 'make coverage       print how much of src/ regress, isolation and TAP tests reach'
	@echo 'make bench          build, and measure speed in a private cluster with a million'
	@echo '                    tokens (docs/performance.md); some parts: BENCH_PARTS="verify many"'
	@echo 'make clean          remove everything that was made, the demo cluster too'
	@echo 'PG_CONFIG=<path>    with any of these: use that PostgreSQL'

# These bring what is missing, so they must work without PGXS.
demo:
	@test/demo
demo-stop:
	@test/demo stop
test:
	@test/run
coverage:
	@test/coverage
bench:
	@test/bench/run

.PHONY: help demo demo-stop test coverage bench
.DEFAULT_GOAL = all

ifeq ($(wildcard $(PGXS)),)

# Nothing can be built yet.
.DEFAULT all:
	@echo >&2 "No PGXS: install postgresql-server-dev-<version> and libsodium-dev, or say PG_CONFIG=<path>, or run 'make test' or 'make demo', which install what is missing."
	@exit 1
.PHONY: all

else

SODIUM_CFLAGS := $(shell pkg-config --cflags libsodium 2>/dev/null)
SODIUM_LIBS := $(shell pkg-config --libs libsodium 2>/dev/null || echo -lsodium)

# "override" keeps our flags where somebody adds flags on the command line.
# -isystem: the server's headers are not clean under -Wextra.  -MMD -MP writes
# the headers that each object depends on to a .d file beside it.
override PG_CPPFLAGS += -isystem $(shell $(PG_CONFIG) --includedir-server) \
	-DATK_VERSION='"$(EXTVERSION)"' $(SODIUM_CFLAGS) -MMD -MP
# Callbacks do not use every parameter that their type has, and rows of our
# tables leave out what they do not need.
override PG_CFLAGS += -Wall -Wextra -Wno-unused-parameter \
	-Wno-missing-field-initializers -fvisibility=hidden
override SHLIB_LINK += $(SODIUM_LIBS)

# Not by default: another compiler must not fail over a warning we never saw.
ifeq ($(WERROR),1)
override PG_CFLAGS += -Werror
endif

# Bitcode for the JIT would need the very clang the server was built with.
override with_llvm = no

include $(PGXS)

# In containers nobody else buries what a killed server leaves behind, and the
# server's next start would fail over it.
PROVE := $(shell command -v tini >/dev/null && echo tini -s --) $(PROVE)

-include $(OBJS:.o=.d)

$(FULL_SCRIPT): $(SQL_PARTS) Makefile
	cat $(SQL_PARTS) > $@
$(UPDATE_SCRIPT): $(UPDATE_PARTS) Makefile
	cat $(UPDATE_PARTS) > $@

# To PGXS objects are intermediate files: one that is new in the list above would
# not be made, and be missing in the library.
$(EXTENSION)$(DLSUFFIX): Makefile

# Other flags or another server: build anew.
BUILT_WITH = $(VERSION) $(CC) $(CFLAGS) $(CPPFLAGS)
$(OBJS): src/.built-with
src/.built-with: FORCE
	@$(file >$@.new,$(BUILT_WITH))
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:

unit: $(UNIT:%=build/unit/%)
# The sources that need no server are compiled once more, under sanitizers
# where the compiler has them; it is asked once, when first used.  -no-pie:
# AddressSanitizer's memory and a randomly placed program may collide.
UNIT_FLAGS = $(eval UNIT_FLAGS := $$(shell \
	flags='-fsanitize=address,undefined -fno-sanitize-recover=all'; \
	echo 'int main(void) { return 0; }' | \
	$$(CC) $$$$flags -x c -o /dev/null - 2>/dev/null && echo "$$$$flags"))$(UNIT_FLAGS)
UNIT_COMPILE = @mkdir -p $(@D) && $(CC) $(CFLAGS) $(UNIT_FLAGS) -Isrc -Itest/unit $(CPPFLAGS) -MF $@.d -MT $@ -o $@
build/unit/%.o: src/%.c src/.built-with
	$(UNIT_COMPILE) -c $<
build/unit/%.o: test/unit/%.c src/.built-with
	$(UNIT_COMPILE) -c $<
build/unit/%: test/unit/%.c $(UNIT_OBJS)
	$(UNIT_COMPILE) -no-pie $< $(UNIT_OBJS) $(LDFLAGS) $(SODIUM_LIBS)
-include $(UNIT:%=build/unit/%.d) $(UNIT_OBJS:=.d)

fuzz: $(FUZZ:%=build/fuzz/%)
# libFuzzer is clang's.  What the stand-in for the server lacks is left open:
# nothing that a target calls gets there.
FUZZ_FLAGS = -g -O1 -Wall -Werror -Wno-ignored-attributes -fno-omit-frame-pointer \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_COMPILE = @mkdir -p $(@D) && clang $(FUZZ_FLAGS) -Isrc -Itest/unit -Itest/fuzz $(CPPFLAGS) -MF $@.d -MT $@ -o $@
build/fuzz/src/%.o: src/%.c
	$(FUZZ_COMPILE) -c $<
build/fuzz/unit/%.o: test/unit/%.c
	$(FUZZ_COMPILE) -c $<
build/fuzz/%.o: test/fuzz/%.c
	$(FUZZ_COMPILE) -c $<
build/fuzz/%: build/fuzz/%.o $(FUZZ_OBJS)
	clang $(FUZZ_FLAGS) -no-pie -Wl,--unresolved-symbols=ignore-all -o $@ $< $(FUZZ_OBJS) $(SODIUM_LIBS)
.PRECIOUS: build/fuzz/%.o
-include $(FUZZ:%=build/fuzz/%.o.d) $(FUZZ_OBJS:=.d)

# For the scripts in test/: the lists above, one name a line.
list-%:
	@printf '%s\n' $($*)

clean: clean-build
clean-build:
	@test/demo remove

.PHONY: FORCE unit fuzz clean-build

endif
