"""`manage.py qcluster`: one cluster of workers (Q_CLUSTER_NAME=default, dispatch or slow), django-q2's with our guard."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Runs one cluster of workers until it is told to stop. Ends with an error when it must be started anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("-n", "--name", help="the cluster, where Q_CLUSTER_NAME does not say it")

    def handle(self, *args: Any, name: str | None, **options: Any) -> None:
        if name:
            os.environ["Q_CLUSTER_NAME"] = name
        from sequences.cluster import WatchfulCluster  # reads Q_CLUSTER_NAME when it is imported

        cluster = WatchfulCluster()
        cluster.start()
        code = cluster.wait()
        if code:
            raise SystemExit(code)
