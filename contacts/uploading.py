"""Uploads that go straight to disk and stop at the limit, however long they pretend to be."""

from typing import Any

from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler

from contacts.importing.jobs import SIZE_LIMIT


class CappedUploadHandler(TemporaryFileUploadHandler):
    """Writes to a temporary file and hangs up once it is larger than an import may be; `too_large` says that it did."""

    too_large = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> Any:
        if start + len(raw_data) > SIZE_LIMIT:
            self.too_large = True
            raise StopUpload(connection_reset=False)
        return super().receive_data_chunk(raw_data, start)
