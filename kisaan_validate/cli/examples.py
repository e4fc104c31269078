"""Examples that each command shows below its options."""

from __future__ import annotations

import click

_AROUND = "--around 2026-10-18T02:30+05:30 --for '30 min'"

EXAMPLES = {
    "run": (
        "kisaan-validate run",
        "kisaan-validate run 'orders.total.*' -x",
        "kisaan-validate run --guard --last-failed -k 'amount and not unique'",
        "kisaan-validate run --baseline pre.json --contract contract.toml --format junit=junit.xml",
    ),
    "scan": (
        "kisaan-validate scan",
        "kisaan-validate scan nightly --quiet",
        "kisaan-validate scan weekly --now",
    ),
    "init": (
        "kisaan-validate init --list-schemas",
        "kisaan-validate init --schema public -o checks",
        "kisaan-validate init --schema app --strict",
    ),
    "import": (
        "kisaan-validate import --from dbt target/manifest.json -o checks",
        "kisaan-validate import --from soda orders.yml --table orders=app.orders",
    ),
    "baseline": (
        "kisaan-validate baseline -o pre.json --digests",
        "kisaan-validate baseline -o pre.json --contract contract.toml --rows",
        "kisaan-validate baseline show pre.json",
    ),
    "baseline show": (
        "kisaan-validate baseline show pre.json",
        "kisaan-validate baseline show pre.json --verbose",
    ),
    "backup": (
        "kisaan-validate backup take --dump orders.dump -o orders.json",
        "kisaan-validate backup verify orders.dump --max-age '26 h'",
        "kisaan-validate backup show orders.dump.certificate.json",
    ),
    "backup take": (
        "kisaan-validate backup take --dump orders.dump -o orders.json",
        "kisaan-validate backup take --dump orders.d --format directory --jobs 4 -o orders.json",
    ),
    "backup verify": (
        "kisaan-validate backup verify orders.dump --max-age '26 h' --newest orders.created_at",
        "kisaan-validate backup verify orders.sql.gz --baseline pre.json --same-snapshot",
        "kisaan-validate backup verify orders.dump --baseline old.json --added-since orders.created_at",
    ),
    "backup sign": (
        "kisaan-validate backup sign orders.dump.certificate.json --as asha --key KEY --reason 'drill'",
        "kisaan-validate backup sign old.dump.certificate.json --as asha --key KEY --reason 'old' --reject",
    ),
    "backup show": (
        "kisaan-validate backup show orders.dump.certificate.json",
        "kisaan-validate backup show orders.dump.certificate.json --verbose",
    ),
    "accept": (
        "kisaan-validate accept --contract contract.toml",
        "kisaan-validate accept --contract contract.toml --run latest --write",
    ),
    "rehearse": (
        "kisaan-validate rehearse --dump backup.sql.gz --migrations src/migrations -o rehearsal",
        "kisaan-validate rehearse --dump prod.dump --cmd 'npm run migrate' --contract contract.toml",
        "kisaan-validate rehearse --dump prod.dump --migrations sql --settings TimeZone=Asia/Kolkata",
        "kisaan-validate rehearse --dump prod.dump --fix fix-kit -o proof",
    ),
    "fix-kit": (
        "kisaan-validate fix-kit reports/RUN -o fix-kit",
        "kisaan-validate fix-kit reports/RUN orders.paid.not_null -o fix-kit",
    ),
    "preflight": (
        "kisaan-validate preflight --migrations src/migrations --contract contract.toml",
        "kisaan-validate preflight --certificate orders.dump.certificate.json --receipt r/receipt.json",
        "kisaan-validate preflight --deep --disk /var/lib/postgresql --without rehearsal",
    ),
    "migrations": (
        "kisaan-validate migrations --folder src/migrations",
        "kisaan-validate migrations --folder src/migrations --since 2026-11-30T02:00+05:30 --of '20261130_*'",
        "kisaan-validate migrations --folder alembic --ledger-kind alembic -o standing",
    ),
    "wait": (
        "kisaan-validate wait --until-migrated --folder src/migrations --timeout '10 min'",
        "kisaan-validate wait --until-migrated --health http://127.0.0.1:3000/api/health",
    ),
    "probe": (
        "kisaan-validate probe list",
        "kisaan-validate probe run -o probed/after",
        "kisaan-validate probe run --base-url http://127.0.0.1:3000 --allow-writes",
    ),
    "probe run": (
        "kisaan-validate probe run",
        "kisaan-validate probe run --probes probes.toml --allow-writes --clean -o probed/after",
    ),
    "probe list": (
        "kisaan-validate probe list",
        "kisaan-validate probe list --probes probes.toml",
    ),
    "probe show": (
        "kisaan-validate probe show probed/after",
        "kisaan-validate probe show probed/after/probe.json",
    ),
    "probe errors": (
        "kisaan-validate probe errors --log a.log --pattern '^(?P<time>[^ ]+) GET' --errors ' 5..$' "
        + _AROUND,
        "kisaan-validate probe errors --prometheus http://127.0.0.1:9090 --requests 'sum(increase("
        "served[$window]))' --failed 'sum(increase(failed[$window]))' " + _AROUND,
    ),
    "rollout": (
        "kisaan-validate rollout next --plan rollout.toml",
        "kisaan-validate rollout attest stakeholders-told --by 'Asha Rao' --text 'mailed at 21:00'",
        "kisaan-validate rollout status",
    ),
    "rollout next": (
        "kisaan-validate rollout next --plan rollout.toml --folder nights/2025-10-18",
        "kisaan-validate rollout next --again preflight",
        "kisaan-validate rollout next --rollback --by 'Asha Rao' --reason 'the service does not start'",
    ),
    "rollout attest": (
        "kisaan-validate rollout attest stakeholders-told --by 'Asha Rao' --text 'mailed at 21:00'",
        "kisaan-validate rollout attest migrate --by 'Asha Rao' --failed --text 'npm: exit 1' --file npm.log",
    ),
    "rollout override": (
        "kisaan-validate rollout override preflight --by 'Asha Rao' --reason 'the replica is known to lag'",
        "kisaan-validate rollout override rollout.toml --by 'Asha Rao' --reason 'a typing error in a title'",
    ),
    "rollout status": (
        "kisaan-validate rollout status",
        "kisaan-validate rollout status --watch",
    ),
    "rollout page": (
        "kisaan-validate rollout page",
        "kisaan-validate rollout page --folder nights/2025-10-18 -o night.html",
    ),
    "rollout check": (
        "kisaan-validate rollout check",
        "kisaan-validate rollout check --folder nights/2025-10-18",
    ),
    "diff": (
        "kisaan-validate diff --before service=restored --after service=production",
        "kisaan-validate diff --before service=prod --before-schema old --after-schema new",
        "kisaan-validate diff --before service=restored --select 'orders*' --ignore orders.updated_at",
    ),
    "list": (
        "kisaan-validate list",
        "kisaan-validate list orders",
        "kisaan-validate list 'public.orders.*' -k unique",
    ),
    "explain": (
        "kisaan-validate explain",
        "kisaan-validate explain 'orders.total.*'",
    ),
    "show": (
        "kisaan-validate show orders.total.unique",
        "kisaan-validate show orders.total.unique --reports nightly",
    ),
    "doctor": (
        "kisaan-validate doctor",
        "kisaan-validate doctor --dsn service=production",
    ),
    "report": (
        "kisaan-validate report reports/RUN",
        "kisaan-validate report reports/RUN --format markdown --output summary.md",
    ),
    "index": (
        "kisaan-validate index",
        "kisaan-validate index nightly --all",
    ),
    "history": (
        "kisaan-validate history",
        "kisaan-validate history --verdict fail --last 10",
        "kisaan-validate history show orders.total.unique",
    ),
    "history show": (
        "kisaan-validate history show orders.total.unique",
        "kisaan-validate history show orders.total.unique --reports nightly",
    ),
    "history proved": (
        "kisaan-validate history proved",
        "kisaan-validate history proved --reports nightly",
    ),
    "history backtest": (
        "kisaan-validate history backtest",
        "kisaan-validate history backtest orders.volume --rule share=20% --rule nights=4",
    ),
    "history mark": (
        "kisaan-validate history mark 'release 1.4 deployed'",
        "kisaan-validate history mark 'index rebuilt' --at 2026-11-30T02:15",
    ),
    "history prune": (
        "kisaan-validate history prune --keep-days 90 --keep-weeks 52",
        "kisaan-validate history prune --yes",
    ),
    "history rebuild": (
        "kisaan-validate history rebuild",
        "kisaan-validate history rebuild --reports nightly",
    ),
    "last": (
        "kisaan-validate last --within '26 h'",
        "kisaan-validate last --within '26 h' --database app --reports nightly",
    ),
    "metrics": (
        "kisaan-validate metrics -o validate.prom",
        "kisaan-validate metrics --check '*.not_null'",
        "kisaan-validate metrics --rules --within '26 h'",
    ),
    "notify": (
        "kisaan-validate notify",
        "kisaan-validate notify reports/RUN --dry-run",
        "kisaan-validate notify --drill",
    ),
    "sign": (
        "kisaan-validate sign RUN --as asha --key KEY --decision approve --reason 'all totals agree'",
        "kisaan-validate sign RUN --as asha --key KEY --decision reject --reason 'payments are missing'",
        "kisaan-validate sign rehearsal --as asha --key KEY --decision approve --reason 'as planned'",
    ),
    "attest": (
        "kisaan-validate attest RUN --as asha --key KEY --criterion told --reason 'mail of 1 May'",
        "kisaan-validate attest RUN --as asha --key KEY --criterion quiet --reason 'an alert' --not-met",
    ),
    "stamp": (
        "kisaan-validate stamp RUN --timestamp https://tsa.example.com",
        "kisaan-validate stamp RUN --timestamp-query",
    ),
    "bundle": (
        "kisaan-validate bundle RUN",
        "kisaan-validate bundle RUN -o evidence.zip --without-baseline",
    ),
    "verify": (
        "kisaan-validate verify evidence.zip --allowed-signers allowed_signers",
        "kisaan-validate verify reports --chain",
        "kisaan-validate verify rehearsal --allowed-signers allowed_signers",
    ),
    "schedule": (
        "kisaan-validate schedule --systemd --at 03:15 --on-failure notify@%n.service",
        "kisaan-validate schedule --cron --scan nightly --at 01:05",
        "kisaan-validate schedule --k8s --image registry.example.com/validate:1",
    ),
    "scratch": (
        "kisaan-validate scratch list",
        "kisaan-validate scratch clean",
    ),
    "scratch list": (
        "kisaan-validate scratch list",
        "kisaan-validate scratch list --scratch-dir /var/tmp",
    ),
    "scratch clean": (
        "kisaan-validate scratch clean",
        "kisaan-validate scratch clean --scratch-dsn 'service=lent'",
    ),
    "scratch adopt": (
        "kisaan-validate scratch adopt 'service=lent'",
        "kisaan-validate scratch adopt postgresql://postgres@192.0.2.7/postgres",
    ),
    "demo": (
        "kisaan-validate demo",
        "kisaan-validate demo --scale 20000 --clean-migration",
    ),
}
"""Command lines by the words that call a command."""


HELP_OPTIONS = ["-h", "--help"]
"""What asks any command for its help."""


def with_examples(command: click.Command, name: str) -> click.Command:
    """The command, whose help ends with its examples; those of a group too."""
    # A command keeps the help option of the first context it sees, which need not be that of the program.
    command.context_settings.setdefault("help_option_names", HELP_OPTIONS)
    if lines := EXAMPLES.get(name):
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
    for below, part in getattr(command, "commands", {}).items():
        with_examples(part, f"{name} {below}")
    return command
