"""Request and policies to a `Decision`: the engine, which must agree with `spec/`.

The public face: `authorize(request, policies)` decides; `prepare(policies)` compiles them for many requests.
"""
