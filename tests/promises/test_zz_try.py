import time, pytest
from omnify.promises import optouts
@pytest.mark.django_db(transaction=True)
def test_x(people, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setitem(optouts.STOPS, "quick", 300)
    a=time.time()
    o=optouts.prove_stop("quick",11)
    print(o, time.time()-a)
    assert o.failed==0
