// A confidence in whole percent, rounded down, for 99.9 % is not certain; as digitlens.core.confidence does.
export const percent = (confidence) => `${Math.floor(confidence * 100 + 1e-9)} %`;
