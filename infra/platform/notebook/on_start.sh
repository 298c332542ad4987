# Runs as root at each start, for five minutes at most: what takes longer goes on behind it.
set -euo pipefail
systemd-run --quiet --unit=stop-idle --on-active=5min --on-unit-active=5min \
    /usr/bin/python3 "$PROGRAMS/stop_idle.py" "$IDLE_MINUTES"
nohup sudo -u ec2-user -i bash "$PROGRAMS/set_up_notebooks.sh" "$STAGE" "$REGION" "$NOTEBOOKS" "$CODE" \
    > "$LOGS/set_up_notebooks.log" 2>&1 &
