"""A client of a DeepResearch server, blocking and asynchronous.

with Client("http://127.0.0.1:8080") as client:
    session = client.submit("How did emissions develop?", sources=["reports/"])
    for event in client.events(session.id):
        print(event.kind)
    print(client.report(session.id).answer)
"""

from deepresearch.client.asynchronous import AsyncClient
from deepresearch.client.blocking import Client
from deepresearch.client.packing import Upload, pack

__all__ = ["AsyncClient", "Client", "Upload", "pack"]
