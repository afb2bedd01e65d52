def test_pages(browser):
    b = browser("editor")
    for s in ("", "/texts", "/services", "/looks", "/rules", "/review", "/history", "/file", "/published"):
        a = b.get("/admin/sites/shop/banner" + s)
        assert a.status_code == 200, a.text[:3000]
        print(s, len(a.data))
    a = b.get("/admin/sites/shop/preview")
    assert a.status_code == 200
    print(len(a.data))
    a = b.get("/admin/sites/shop/banner/policy.toml")
    print(a.text)
