# docker build -t b2bua .
# docker run --network host -v /etc/b2bua:/etc/b2bua:ro -v b2bua:/var/lib/b2bua b2bua
#
# RTP takes thousands of ports, and phones have to know the server's address: give it the host's network. Policy, users
# and settings lie in /etc/b2bua (secrets belong to user 5060), state in the volume.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY scripts/build_hook.py scripts/
# dsl has a link to it.
COPY docs/language.md docs/
COPY b2bua b2bua
COPY dsl dsl
RUN python -m venv /opt/b2bua && /opt/b2bua/bin/pip install --no-cache-dir ".[codecs]"

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 5060 --home-dir /var/lib/b2bua --create-home b2bua
COPY --from=build /opt/b2bua /opt/b2bua
USER 5060
WORKDIR /etc/b2bua
VOLUME /var/lib/b2bua
EXPOSE 5060/udp 5060/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s \
    CMD ["/opt/b2bua/bin/b2bua", "show", "status", "--state", "/var/lib/b2bua"]
ENTRYPOINT ["/opt/b2bua/bin/b2bua"]
CMD ["run", "/etc/b2bua/office.route", "--settings", "/etc/b2bua/settings.yaml", "--state", "/var/lib/b2bua"]
